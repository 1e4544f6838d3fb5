/** `up_sdnotify`: the service manager hears that the link is up (sd_notify(3)). A manager that does not listen is no reason to fail. */

import { openDatagram } from '../../system/datagram.ts'

export function tellServiceManager(): void {
  const path = process.env.NOTIFY_SOCKET
  if (path === undefined) return
  try {
    const socket = openDatagram(path)
    socket.send(Buffer.from('READY=1'))
    socket.close()
  } catch {
    // See above.
  }
}
