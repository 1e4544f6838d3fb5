/** A machine for the option reader that is only data. */

import type { OptionServices } from '../../../src/ppp/command/options-services.ts'

export interface FakeMachine extends Partial<Omit<OptionServices, 'readFile'>> {
  /** By path; a number instead of text: Node's error of that code comes. */
  readonly files?: Readonly<Record<string, string | { readonly code: string } | { readonly open: string }>>
}

export function fakeServices({ files = {}, ...rest }: FakeMachine = {}): OptionServices {
  return {
    programName: 'modem-ppp',
    isRoot: true,
    homeDirectory: '/home/alice',
    hostName: 'gate',
    readFile: (path) => {
      const file = files[path] ?? { code: 'ENOENT' }
      if (typeof file === 'string') return { bytes: Buffer.from(file), isOpenToOthers: false }
      if ('open' in file) return { bytes: Buffer.from(file.open), isOpenToOthers: true }
      throw Object.assign(new Error(`${file.code}: ${path}`), { code: file.code })
    },
    status: (file) => {
      if (file === '/dev/ttyS0') return { isCharacterDevice: true, deviceNumber: 64 }
      if (file === 0 || file === 1) return { isCharacterDevice: true, deviceNumber: 5 }
      throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    },
    standardInputTty: () => '/dev/pts/5',
    lookUpHost: (name) => (name === 'gate' ? 0x0a000009 : undefined),
    isInGroup: (name) => (name === 'dip' ? true : undefined),
    hasDefaultRoute: () => false,
    hardwareAddress: () => Uint8Array.of(0x02, 0x11, 0x22, 0x33, 0x44, 0x55),
    crypt: (password, setting) => (setting === '$1$salt' ? `$1$salt${password}` : undefined),
    checkSystemPassword: (user, password) => user === 'alice' && password === 'system',
    ...rest,
  }
}
