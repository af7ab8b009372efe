// openid-client registers itself and signs somebody in by form_post-less code flow.
import * as oidc from 'openid-client'
import { done, given, visit } from './conversation.mjs'

const config = await oidc.dynamicClientRegistration(new URL(given.issuer), {
  client_name: 'Registered by itself',
  redirect_uris: [given.redirect_uri],
  token_endpoint_auth_method: given.method,
  id_token_signed_response_alg: given.algorithm,
  subject_type: given.subject_type,
})
const verifier = oidc.randomPKCECodeVerifier()
const expected = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce() }
const back = await visit(
  oidc.buildAuthorizationUrl(config, {
    redirect_uri: given.redirect_uri,
    scope: 'openid email',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: expected.expectedState,
    nonce: expected.expectedNonce,
  }),
)
const tokens = await oidc.authorizationCodeGrant(config, back, expected)
const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
done({ claims: tokens.claims(), userinfo, metadata: config.clientMetadata() })
