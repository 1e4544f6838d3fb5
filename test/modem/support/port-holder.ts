/** Another program that has a port open until its stdin ends: `port-holder.ts FILE [exclusive]`. For `ports-locks.test.ts`. */

import { constants, openSync } from 'node:fs'
import { checked, ioctlNumber } from '../../../src/system/libc.ts'

const TIOCEXCL = 0x540c

const [, , file = '', how] = process.argv
const fd = openSync(file, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
if (how === 'exclusive') checked(ioctlNumber(fd, TIOCEXCL, 0), 'cannot have the tty alone')
console.log('held')
process.stdin.resume()
