// openid-client as a machine, by each way of showing who it is.
import * as oidc from 'openid-client'
import { done, given } from './conversation.mjs'

async function authentication() {
  switch (given.method) {
    case 'client_secret_basic':
      return oidc.ClientSecretBasic(given.client_secret)
    case 'client_secret_post':
      return oidc.ClientSecretPost(given.client_secret)
    case 'client_secret_jwt':
      return oidc.ClientSecretJwt(given.client_secret)
    case 'private_key_jwt': {
      const { kid, alg, ...jwk } = given.key
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
      const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
      return oidc.PrivateKeyJwt({ key, kid })
    }
  }
}

const config = await oidc.discovery(new URL(given.issuer), given.client_id, {}, await authentication())
const tokens = await oidc.clientCredentialsGrant(config, { scope: given.scope, resource: given.resource })
done({ access_token: tokens.access_token, scope: tokens.scope, type: tokens.token_type })
