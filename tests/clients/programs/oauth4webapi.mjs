// oauth4webapi, which checks every answer to the letter.
import * as oauth from 'oauth4webapi'
import { done, given, visit } from './conversation.mjs'

const issuer = new URL(given.issuer)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: given.discovery }))
const client = { client_id: given.client_id }
const authentication = oauth.ClientSecretBasic(given.client_secret)
const verifier = oauth.generateRandomCodeVerifier()
const nonce = oauth.generateRandomNonce()
const state = oauth.generateRandomState()

const url = new URL(as.authorization_endpoint)
const parameters = {
  client_id: given.client_id,
  redirect_uri: given.redirect_uri,
  response_type: 'code',
  scope: given.scope,
  resource: given.resource,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  nonce,
  state,
}
for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)

const answer = oauth.validateAuthResponse(as, client, await visit(url), state)
const response = await oauth.authorizationCodeGrantRequest(as, client, authentication, answer, given.redirect_uri, verifier)
const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true })
await oauth.validateApplicationLevelSignature(as, response)
const claims = oauth.getValidatedIdTokenClaims(tokens)

const asked = await oauth.userInfoRequest(as, client, tokens.access_token)
const userinfo = await oauth.processUserInfoResponse(as, client, claims.sub, asked)

const request = new Request(given.resource, { headers: { authorization: `Bearer ${tokens.access_token}` } })
const access = await oauth.validateJwtAccessToken(as, request, given.resource)

const question = await oauth.introspectionRequest(as, client, authentication, tokens.access_token)
const introspection = await oauth.processIntrospectionResponse(as, client, question)
const revocation = await oauth.revocationRequest(as, client, authentication, tokens.access_token)
await oauth.processRevocationResponse(revocation)
done({ claims, userinfo, access, introspection })
