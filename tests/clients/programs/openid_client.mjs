// openid-client, by discovery alone: sign-in, userinfo, refresh, revocation, sign-out.
import * as oidc from 'openid-client'
import { done, given, visit } from './conversation.mjs'

const config = await oidc.discovery(new URL(given.issuer), given.client_id, given.client_secret)
const verifier = oidc.randomPKCECodeVerifier()
const expected = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
const parameters = {
  redirect_uri: given.redirect_uri,
  scope: given.scope,
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state: expected.expectedState,
  nonce: expected.expectedNonce,
  max_age: '600',
}
const build = given.pushed ? oidc.buildAuthorizationUrlWithPAR : oidc.buildAuthorizationUrl
const back = await visit(await build(config, parameters))
const tokens = await oidc.authorizationCodeGrant(config, back, { ...expected, maxAge: 600 })
const claims = tokens.claims()
const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token)
const before = await oidc.tokenIntrospection(config, refreshed.access_token)
await oidc.tokenRevocation(config, refreshed.refresh_token)
const after = await oidc.tokenIntrospection(config, refreshed.access_token)
const out = oidc.buildEndSessionUrl(config, {
  post_logout_redirect_uri: given.post_logout_redirect_uri,
  id_token_hint: tokens.id_token,
  state: 'gone',
})
const gone = await visit(out)
done({ claims, userinfo, scope: tokens.scope, refreshed: refreshed.claims(), before, after, gone: String(gone) })
