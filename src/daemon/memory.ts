/**
 * A small heap for a daemon that allocates little (docs/decisions/0001). V8's young generation would grow to 16 MiB of garbage
 * before anybody looks, and its optimising compiler would spend megabytes on code that runs once at start. Imported first by
 * main.ts, since flags count only for what comes later.
 */

import { setFlagsFromString } from 'node:v8'
import { shareOneArena } from '../system/libc.ts'

setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--optimize-for-size')
// Machine code for whatever ran eight times: a fifth of the heap, which grows for thousands of redials (docs/decisions/0009).
setFlagsFromString('--no-sparkplug')
// In bytes of executed bytecode, over a function's life: so that months of redialling do not compile what is run seldom. The loop over a
// packet's bytes passes it in a fraction of a second, the rest of a packet's path within seconds of traffic (docs/decisions/0009).
setFlagsFromString('--interrupt-budget=20000000')
shareOneArena()
