/**
 * Which dongles begin as a CD-ROM, and what makes modems of them (usb_modeswitch(1)): by the ids in the rules of
 * usb_modeswitch-data, for makers of mobile broadband. Data only; read by `mode-switch.ts`.
 */

import type { UsbDevice } from './sysfs.ts'

const HUAWEI_NEW = ['-J']
const EJECT = ['-K']
const OPTION = ['-U']
const SIERRA = ['-S']

type Method = readonly string[]

const METHODS: readonly (readonly [vendor: string, products: string, method: Method])[] = [
  ['0af0', '6711 6731 6751 6771 6791 6811 6911 6951 6971 7011 7031 7051 7071 7111 7211 7251 7271 7301 7311', OPTION],
  ['0af0', '7361 7381 7401 7501 7601 7701 7706 7801 7901 7a01 7a05 8200 8201 8300 8302 8304 8400 8600 8700', OPTION],
  ['0af0', '8800 8900 9000 9200 c031 c100 d013 d031 d033 d035 d055 d057 d058 d155 d157 d255 d257 d357', OPTION],
  ['0b3c', 'c700 f000 f00c f017', EJECT],
  ['1199', '0fff', SIERRA],
  ['1410', '5010 5020 5023 5030 5031 5041 5055 5059 7001 9020', EJECT],
  ['16d8', '6281 6803 6804 700a 700b f000', EJECT],
  ['19d2', '0003 0026 0040 0053 0083 0101 0103 0110 0115 0146 0149 0150 0154 0166 0169 0198 0266 0304 0318', EJECT],
  ['19d2', '0325 0388 0413 1001 1007 1009 1013 1017 1022 1030 1038 1046 1171 1175 1179 1201 1207 1210 1216', EJECT],
  ['19d2', '1219 1224 1225 1227 1232 1233 1237 1238 1420 1511 1514 1517 1520 1523 1528 1536 1542 1580 1588', EJECT],
  ['19d2', '1595 2000 2004 ffde ffe6 fff5 fff6', EJECT],
  ['1a8d', '1000 2000', EJECT],
  ['1bbb', '000f 00ca 011f 022c 025e f000 f017 f052', EJECT],
  ['1c9e', '1001 6000 6061 9101 9200 9401 9800 98ff 9bfe 9d00 9e00 9e08 f000 f010', EJECT],
  ['1da5', 'f000', EJECT],
  ['1dd6', '1000', EJECT],
  ['1e0e', 'f000', EJECT],
  ['1ee8', '0003 0007 0009 0013 0018 0040 0045 0048 004a 004f 0054 0060 0063 0068', EJECT],
  ['1fac', '0032 0130 0150 0151', EJECT],
  ['2001', '00a6 7600 98ff a401 a403 a405 a406 a407 a40a a40d a706 a707 a708 a805 a80b', EJECT],
  ['2020', '0002 f00e f00f', EJECT],
  ['2077', '1000 f000', EJECT],
  ['2357', '0200 f000', EJECT],
]

const BY_ID = new Map<string, Method>(
  METHODS.flatMap(([vendor, products, method]) =>
    products.split(' ').map((product) => [`${vendor}:${product}`, method] as const),
  ),
)

/** Arguments for usb_modeswitch; undefined: it is not known to be a modem. A telephone shares its memory on purpose. */
export function switchMethod({ vendor, product, manufacturer }: UsbDevice): Method | undefined {
  if (/android/i.test(manufacturer)) return undefined
  return vendor === '12d1' ? HUAWEI_NEW : BY_ID.get(`${vendor}:${product}`)
}
