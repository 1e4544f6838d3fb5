/** Which driver a modem gets: by its USB id, else by its own word for its maker. Used by fleet and candidates. */

import type { UsbFacts } from '../sysfs.ts'
import type { ModemDriver } from './driver.ts'
import { generic } from './generic.ts'
import { huawei } from './huawei.ts'
import { quectel } from './quectel.ts'
import { sierra } from './sierra.ts'
import { simcom } from './simcom.ts'
import { telit } from './telit.ts'
import { ublox } from './ublox.ts'
import { zte } from './zte.ts'

export const DRIVERS: readonly ModemDriver[] = [huawei, zte, quectel, simcom, sierra, telit, ublox]

/** undefined: the modem has to be asked. */
export function driverForUsb({ vendor, product }: Pick<UsbFacts, 'vendor' | 'product'>): ModemDriver | undefined {
  const id = `${vendor}:${product}`
  return DRIVERS.find(({ usbIds }) => usbIds.some((pattern) => isLike(pattern, id)))
}

/** `manufacturer` as +CGMI has it. */
export function driverForManufacturer(manufacturer: string | undefined): ModemDriver {
  return DRIVERS.find(({ manufacturers }) => manufacturers?.test(manufacturer ?? '')) ?? generic
}

function isLike(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : pattern === id
}
