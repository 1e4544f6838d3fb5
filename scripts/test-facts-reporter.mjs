// A reporter of Node's test runner: one JSON line a skipped test, and one a file with how long its tests took.

import { relative } from 'node:path'

export default async function* facts(events) {
  for await (const { type, data } of events) {
    const isTest = type === 'test:pass' || type === 'test:fail'
    if (!isTest) continue
    const [named] = /^\S+\.test\.ts(?= in namespaces)/.exec(data.name) ?? []
    const file = named ?? relative('test', data.file ?? '')
    if (data.skip !== undefined) yield line({ type: 'skip', name: `${file}: ${data.name}`, reason: String(data.skip) })
    const isTopLevel = data.nesting === 0
    if (isTopLevel) yield line({ type: 'file', suite: file.split('/')[0], seconds: data.details.duration_ms / 1000 })
  }
}

function line(fact) {
  return `${JSON.stringify(fact)}\n`
}
