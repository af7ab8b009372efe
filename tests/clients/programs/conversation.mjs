// How these programs talk with the test: a JSON object per line, out for what a browser is to do, in for what came of it.
import { createInterface } from 'node:readline'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

export const given = JSON.parse(process.argv[2])

export function tell(value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

// Returns where the browser came back to.
export async function visit(url) {
  tell({ visit: String(url) })
  const { value } = await lines.next()
  return new URL(JSON.parse(value).back)
}

export function done(result) {
  tell({ done: result })
  process.exit(0)
}
