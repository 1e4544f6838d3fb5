import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DetectSettings, judge } from '../../src/modem/known-devices.ts'
import { knownRole } from '../../src/modem/port-roles.ts'
import { listTtys, readTty, type TtyFacts } from '../../src/modem/sysfs.ts'
import { FakeSysfs } from './support/fake-sysfs.ts'

const AUTO: DetectSettings = { allow: ['auto'], ignore: [], devices: [] }

function usbTty(id: string, kernelDriver: string, interfaceNumber = 0): TtyFacts {
  const [vendor = '', product = ''] = id.split(':')
  return {
    name: 'ttyX0',
    path: '/dev/ttyX0',
    device: '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2',
    usb: { place: '1-2', vendor, product, serial: '', interfaceNumber, interfaceClass: '02/02/01', kernelDriver },
  }
}

const LEFT_ALONE: readonly (readonly [id: string, driver: string, what: string])[] = [
  ['2341:0043', 'cdc_acm', 'Arduino Uno'],
  ['2341:0001', 'cdc_acm', 'Arduino Uno, first'],
  ['2a03:0043', 'cdc_acm', 'Arduino Uno of arduino.org'],
  ['1b4f:9205', 'cdc_acm', 'SparkFun Pro Micro'],
  ['239a:800b', 'cdc_acm', 'Adafruit Feather M0'],
  ['16c0:0483', 'cdc_acm', 'Teensy'],
  ['0483:5740', 'cdc_acm', 'STM32 virtual COM port'],
  ['0483:374b', 'cdc_acm', 'ST-Link'],
  ['0483:a2ca', 'cdc_acm', 'Solo security key'],
  ['1d50:6018', 'cdc_acm', 'Black Magic Probe'],
  ['2e8a:0005', 'cdc_acm', 'Raspberry Pi Pico'],
  ['303a:1001', 'cdc_acm', 'ESP32-S3'],
  ['0d28:0204', 'cdc_acm', 'micro:bit'],
  ['1366:0105', 'cdc_acm', 'J-Link'],
  ['26ac:0011', 'cdc_acm', 'PX4 flight controller'],
  ['2dae:1016', 'cdc_acm', 'CubePilot'],
  ['1546:01a7', 'cdc_acm', 'u-blox 7 GNSS'],
  ['1546:01a9', 'cdc_acm', 'u-blox 9 GNSS'],
  ['091e:0003', 'garmin_gps', 'Garmin'],
  ['0403:6001', 'ftdi_sio', 'FTDI cable'],
  ['0403:6010', 'ftdi_sio', 'FTDI with two ports'],
  ['067b:2303', 'pl2303', 'Prolific cable'],
  ['10c4:ea60', 'cp210x', 'CP2102'],
  ['1a86:7523', 'ch341', 'CH340'],
  ['1a86:55d4', 'cdc_acm', 'CH9102'],
  ['051d:0002', 'usbserial_generic', 'APC UPS'],
  ['0463:ffff', 'cdc_acm', 'Eaton UPS'],
  ['0665:5161', 'cypress_m8', 'UPS behind a Cypress adapter'],
  ['1050:0407', 'cdc_acm', 'YubiKey'],
  ['20a0:42b1', 'cdc_acm', 'Nitrokey'],
  ['0e8d:2000', 'cdc_acm', 'MediaTek preloader'],
  ['1209:0001', 'cdc_acm', 'a hobby device'],
  ['0658:0200', 'cdc_acm', 'Aeotec Z-Stick'],
  ['1cf1:0030', 'cdc_acm', 'ConBee II'],
  ['0451:16a8', 'cdc_acm', 'CC2531'],
  ['0c2e:0206', 'cdc_acm', 'Honeywell scanner'],
  ['05e0:1701', 'cdc_acm', 'Zebra scanner'],
  ['04b8:0202', 'cdc_acm', 'Epson receipt printer'],
  ['2c99:0002', 'cdc_acm', 'Prusa i3 MK3'],
  ['1d50:6029', 'cdc_acm', 'Marlin 3D printer'],
  ['27b1:0001', 'cdc_acm', 'RAMBo 3D printer'],
  ['2c97:0001', 'cdc_acm', 'Ledger'],
  ['0764:0501', 'cdc_acm', 'CyberPower UPS'],
  ['06da:0003', 'cypress_m8', 'Phoenixtec UPS'],
  ['0e8d:3329', 'cdc_acm', 'MediaTek GPS'],
  ['0525:a4a7', 'cdc_acm', 'Linux gadget console'],
  ['abcd:1234', 'cdc_acm', 'nobody knows'],
  ['abcd:1234', 'usbserial_generic', 'nobody knows'],
  ['12d1:1436', 'usb_storage', 'a known vendor, but no serial driver of modems'],
]

test('what is not known to be a modem is left alone, with a reason', () => {
  for (const [id, driver, what] of LEFT_ALONE) {
    const { isModem, reason } = judge(usbTty(id, driver), AUTO)
    assert.equal(isModem, false, what)
    assert.match(reason, new RegExp(id), what)
  }
  const plain: TtyFacts = { name: 'ttyS0', path: '/dev/ttyS0', device: '/sys/devices/pnp0/00:05' }
  assert.equal(judge(plain, AUTO).isModem, false)
})

test("modems are known by the kernel's driver or by their maker", () => {
  for (const [id, driver] of [
    ['12d1:1436', 'option'],
    ['1209:0001', 'option'],
    ['abcd:1234', 'qcserial'],
    ['1199:68c0', 'sierra'],
    ['12d1:1506', 'cdc_acm'],
    ['1546:1102', 'cdc_acm'],
    ['1bc7:0021', 'cdc_acm'],
    ['1e2d:0053', 'cdc_acm'],
  ] as const)
    assert.equal(judge(usbTty(id, driver), AUTO).isModem, true, `${id} ${driver}`)
})

test('the configuration names more, ignores, or takes nothing else', () => {
  const arduino = usbTty('2341:0043', 'cdc_acm')
  const stick = usbTty('12d1:1436', 'option')
  const device = (pattern: string) => ({ ...AUTO, devices: [{ device: pattern, baud: 115200, init: '' }] })
  assert.equal(judge(arduino, { ...AUTO, allow: ['auto', 'usb:2341:0043'] }).isModem, true)
  assert.equal(judge(arduino, { ...AUTO, allow: ['auto', 'usb:1-2'] }).isModem, true)
  assert.equal(judge(arduino, device('tty:/dev/ttyX0')).isModem, true)
  assert.equal(judge(arduino, device('tty:/dev/ttyX1')).isModem, false)
  assert.equal(judge(stick, { ...AUTO, ignore: ['usb:12d1:*'] }).isModem, false)
  assert.equal(judge(stick, { ...device('usb:12d1:1436'), ignore: ['usb:1-2'] }).isModem, false, 'ignore wins')
  assert.equal(judge(stick, { ...AUTO, allow: ['strict'] }).isModem, false)
  assert.equal(judge(stick, { ...AUTO, allow: ['strict', 'usb:12d1:1436'] }).isModem, true)
  assert.equal(judge(stick, { ...AUTO, allow: ['tty:/dev/ttyS1'] }).isModem, false, 'without auto only what is listed')
})

test('modems that wait for firmware are left alone, whatever driver they have', () => {
  for (const id of ['05c6:9008', '1199:9000', '413c:8171', '1410:a010'])
    assert.match(judge(usbTty(id, 'qcserial'), AUTO).reason, /waits for its firmware/, id)
})

test('an unknown device with a mobile broadband interface is a modem; with another network it is not', () => {
  const tty = usbTty('abcd:1234', 'cdc_acm')
  const withNetwork = (networkDriver: string) => ({ ...tty, usb: { ...tty.usb!, networkDriver } })
  assert.equal(judge(withNetwork('cdc_mbim'), AUTO).isModem, true)
  assert.equal(judge(withNetwork('qmi_wwan'), AUTO).isModem, true)
  assert.equal(judge(withNetwork('cdc_ether'), AUTO).isModem, false)
})

test('known port roles', () => {
  const roleOf = (id: string, interfaceNumber: number, interfaceClass = 'ff/00/00', driver = 'option') => {
    const tty = usbTty(id, driver, interfaceNumber)
    return knownRole({ ...tty.usb!, interfaceClass })?.role
  }
  assert.equal(roleOf('12d1:1436', 3), 'diag')
  assert.equal(roleOf('12d1:1436', 1), undefined)
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((number) => roleOf('2c7c:0125', number)),
    ['diag', 'gps', 'at', 'data', undefined],
  )
  assert.equal(roleOf('1e0e:9001', 4), 'ignored')
  assert.equal(roleOf('1199:68c0', 3, 'ff/00/00', 'qcserial'), 'at')
  assert.equal(roleOf('abcd:1234', 0), undefined)
  assert.equal(knownRole(undefined), undefined)
})

test("a port's interface says its role where no table has it", () => {
  const roleOf = (id: string, interfaceClass: string, driver = 'option') =>
    knownRole({ ...usbTty(id, driver, 7).usb!, interfaceClass })?.role
  assert.equal(roleOf('12d1:ffff', 'ff/02/01'), 'data')
  assert.equal(roleOf('12d1:ffff', 'ff/03/12'), 'at')
  assert.equal(roleOf('12d1:ffff', 'ff/01/03'), 'diag')
  assert.equal(roleOf('12d1:ffff', 'ff/01/14'), 'gps')
  assert.equal(roleOf('2c7c:ffff', 'ff/00/40'), 'gps')
  assert.equal(roleOf('abcd:1234', 'ff/ff/30'), 'diag')
  assert.equal(roleOf('abcd:1234', 'ff/02/01'), undefined)
  assert.equal(roleOf('1546:ffff', '02/02/01', 'cdc_acm'), undefined)
  assert.equal(roleOf('1546:ffff', '02/02/00', 'cdc_acm'), 'ignored')
  assert.equal(roleOf('1546:ffff', '02/02/ff', 'cdc_acm'), 'ignored')
})

test('sysfs: ttys with their USB device and interface, and plain ones', (t) => {
  const sysfs = new FakeSysfs()
  t.after(() => sysfs.dispose())
  sysfs.addUsb({
    place: '1-2.3',
    vendor: '12D1',
    product: '1436',
    revision: '0102',
    interfaces: [
      { number: 0, driver: 'option', tty: 'ttyUSB0' },
      { number: 11, driver: 'cdc_acm', tty: 'ttyACM0', class: '02' },
      { number: 5, driver: 'usb-storage' },
    ],
  })
  sysfs.addPlain('ttyS0')
  const device = '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2.3'
  const found = listTtys(sysfs.root)
  assert.deepEqual(found.map(({ name }) => name).sort(), ['ttyACM0', 'ttyS0', 'ttyUSB0'])
  assert.deepEqual(readTty(sysfs.root, 'ttyUSB0'), {
    name: 'ttyUSB0',
    path: '/dev/ttyUSB0',
    device,
    usb: {
      place: '1-2.3',
      vendor: '12d1',
      product: '1436',
      serial: '',
      interfaceNumber: 0,
      interfaceClass: 'ff/00/00',
      kernelDriver: 'option',
      revision: '0102',
      deviceNumber: 1,
      networkDriver: undefined,
    },
  })
  assert.equal(readTty(sysfs.root, 'ttyACM0')?.usb?.interfaceNumber, 11)
  assert.equal(readTty(sysfs.root, 'ttyACM0')?.device, device)
  assert.deepEqual(readTty(sysfs.root, 'ttyS0'), {
    name: 'ttyS0',
    path: '/dev/ttyS0',
    device: '/sys/devices/pnp0/00:05',
    driver: undefined,
    pciId: undefined,
  })
  for (const name of ['ttyUSB9', '..', '../../etc', '']) assert.equal(readTty(sysfs.root, name), undefined, name)
})

test('sysfs: a card on PCI, and places for UARTs that are not there', (t) => {
  const sysfs = new FakeSysfs()
  t.after(() => sysfs.dispose())
  sysfs.addPci('ttyS4', '13a8', '0352')
  sysfs.addGhost('ttyS9')
  assert.deepEqual(listTtys(sysfs.root), [
    {
      name: 'ttyS4',
      path: '/dev/ttyS4',
      device: '/sys/devices/pci0000:00/0000:00:1c.0/0000:02:00.0',
      driver: 'exar_serial',
      pciId: '13a8:0352',
    },
  ])
  assert.match(judge(listTtys(sysfs.root)[0]!, AUTO).reason, /\[device "tty:\/dev\/ttyS4"\]/)
})
