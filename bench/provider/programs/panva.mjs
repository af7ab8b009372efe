// panva's oidc-provider with its adapter in memory: node panva.mjs DIRECTORY-OF-ITS-PACKAGES PORT
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , directory, port] = process.argv;
const found = createRequire(`${directory}/`).resolve('oidc-provider');
const { default: Provider } = await import(pathToFileURL(found));

const API = 'https://api.example.com/';
const jwk = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: alg,
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { // a machine; the API that it asks for has signed tokens
      client_id: 'machine',
      client_secret: 'machine-secret-machine-secret-machine-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
    { // an app in a browser
      client_id: 'app',
      client_secret: 'app-secret-app-secret-app-secret-app-secret',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['https://app.example.com/callback'],
      response_types: ['code'],
    },
  ],
  jwks: {
    keys: [jwk('ec', { namedCurve: 'P-256' }, 'ES256'), jwk('rsa', { modulusLength: 2048 }, 'RS256')],
  },
  cookies: { keys: ['a key for the cookies of the benchmark'] },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // Nobody who names no API gets a signed token: such a token cannot be asked about here.
      getResourceServerInfo: () => ({
        scope: 'read', audience: API, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  scopes: ['openid', 'offline_access', 'read'],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id }) }),
  ttl: { Interaction: 3600, Session: 86400, Grant: 86400 },
});

// Chains of refresh tokens, as after as many authorizations.
async function chains(count) {
  const client = await provider.Client.find('app');
  const tokens = [];
  for (let made = 0; made < count; made += 1) {
    const grant = new provider.Grant({ accountId: `user-${made}`, clientId: 'app' });
    grant.addOIDCScope('offline_access');
    grant.addResourceScope(API, 'read');
    const token = new provider.RefreshToken({
      accountId: grant.accountId,
      client,
      grantId: await grant.save(),
      gty: 'authorization_code',
      scope: 'offline_access read',
      resource: API,
    });
    tokens.push(await token.save());
  }
  return tokens;
}

provider.use(async (ctx, next) => {
  if (ctx.path !== '/chains') {
    await next();
    return;
  }
  ctx.body = await chains(Number(ctx.query.count));
});

provider.listen(Number(port), '127.0.0.1');
