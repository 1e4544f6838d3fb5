/** The USB devices of the machine with their interfaces, drivers and ttys, without serial numbers: what a maintainer needs to know a modem by. */

import type { Machine } from '../doctor/machine.ts'

const DEVICES = '/sys/bus/usb/devices'

/** `1-2 12d1:1436 rev 0000 HUAWEI HUAWEI Mobile`, and below it `  0 ff/ff/ff option ttyUSB0`. */
export function usbDevices(machine: Machine): readonly string[] {
  const places = machine.ownNames(DEVICES)
  return places
    .filter((place) => /^\d+-[\d.]+$/.test(place))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .flatMap((place) => {
      const read = (file: string) => machine.ownText(`${DEVICES}/${file}`)?.trim() ?? ''
      const [vendor, product] = [read(`${place}/idVendor`), read(`${place}/idProduct`)]
      const names = [read(`${place}/manufacturer`), read(`${place}/product`)].filter((name) => name !== '').join(' ')
      const interfaces = places.filter((each) => each.startsWith(`${place}:`))
      return [
        `${place} ${vendor}:${product} rev ${read(`${place}/bcdDevice`)} ${names}`.trimEnd(),
        ...interfaces.sort().map((each) => interfaceLine(machine, each, read)),
      ]
    })
}

function interfaceLine(machine: Machine, place: string, read: (file: string) => string): string {
  const type = ['bInterfaceClass', 'bInterfaceSubClass', 'bInterfaceProtocol'].map((file) => read(`${place}/${file}`))
  const driver = machine.ownLink(`${DEVICES}/${place}/driver`).split('/').at(-1)
  const inside = machine.ownNames(`${DEVICES}/${place}`)
  const folders = ['tty', 'net'].flatMap((name) => machine.ownNames(`${DEVICES}/${place}/${name}`))
  const ttys = inside.filter((name) => /^tty[A-Z]/.test(name))
  return `  ${read(`${place}/bInterfaceNumber`)} ${type.join('/')} ${[driver, ...ttys, ...folders].filter(Boolean).join(' ')}`.trimEnd()
}
