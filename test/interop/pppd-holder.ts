/**
 * A process that has a link by the pppd engine and can be killed. Prints the type of each event.
 *
 *   pppd-holder.ts TTY PPPD
 */

import { silentLogger } from '../../src/base/ports.ts'
import { createPppdEngine } from '../../src/ppp/engines/pppd.ts'
import { CLIENT_DEFAULTS } from '../../src/ppp/settings.ts'
import { createWireOpener } from '../../src/serial/serialport-wire.ts'
import { systemClock } from '../../src/system/clock.ts'
import { openRouteSocket } from '../../src/system/netlink.ts'

const [tty = '', program = ''] = process.argv.slice(2)
const services = { clock: systemClock, logger: silentLogger }
const wire = await createWireOpener({ root: '', ...services })(tty)
const engine = createPppdEngine({ program, openRouteSocket, ...services })
engine.open(wire, { settings: CLIENT_DEFAULTS }, ({ type }) => console.log(type))
