/** This process without a descriptor to spare (EMFILE): what is open stays, nothing more is opened. */

import { closeSync, openSync } from 'node:fs'
import koffi from 'koffi'

const RLIMIT_NOFILE = 7
const library = koffi.load(null)
const setrlimit = library.func('setrlimit', 'int', ['int', 'void *'])
const getrlimit = library.func('getrlimit', 'int', ['int', 'void *'])
/** Above what the tests have open, and soon filled. */
const CEILING = 200n

/** Answers the way back. `spare`: as many may be opened. */
export function exhaustDescriptors(spare = 0): () => void {
  const limits = new BigUint64Array(2)
  getrlimit(RLIMIT_NOFILE, limits)
  setrlimit(RLIMIT_NOFILE, new BigUint64Array([CEILING, limits[1]!]))
  const filling: number[] = []
  const fill = () => {
    for (;;)
      try {
        filling.push(openSync('/dev/null', 'r'))
      } catch {
        return
      }
  }
  fill()
  for (let count = 0; count < spare; count++) closeSync(filling.pop()!)
  return () => {
    for (const fd of filling.splice(0)) closeSync(fd)
    setrlimit(RLIMIT_NOFILE, limits)
  }
}

/** A promise is not waited for: what it does at once is done without. */
export function withoutDescriptors<T>(act: () => T, spare = 0): T {
  const restore = exhaustDescriptors(spare)
  try {
    return act()
  } finally {
    restore()
  }
}
