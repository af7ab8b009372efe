// A client of the Model Context Protocol that knows nothing but the address of its server.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { done, given, visit } from './conversation.mjs'

class Agent {
  redirectUrl = given.redirect_uri
  clientMetadata = { client_name: 'An agent', redirect_uris: [given.redirect_uri] }
  clientInformation = () => this.information
  saveClientInformation = (information) => void (this.information = information)
  tokens = () => this.kept
  saveTokens = (tokens) => void (this.kept = tokens)
  redirectToAuthorization = (url) => void (this.url = url)
  saveCodeVerifier = (verifier) => void (this.verifier = verifier)
  codeVerifier = () => this.verifier
}

const agent = new Agent()
const connected = async () => {
  const transport = new StreamableHTTPClientTransport(new URL(given.server), { authProvider: agent })
  const client = new Client({ name: 'agent', version: '1' })
  await client.connect(transport)
  return client
}

let refused = false
try {
  await connected()
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error
  refused = true
}
const back = await visit(agent.url)
const transport = new StreamableHTTPClientTransport(new URL(given.server), { authProvider: agent })
await transport.finishAuth(back.searchParams.get('code'), back.searchParams.get('iss') ?? undefined)
const client = await connected()
const { tools } = await client.listTools()
done({ refused, tools: tools.map((tool) => tool.name), tokens: agent.kept, client: agent.information })
