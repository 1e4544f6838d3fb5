/** PDUs as they are in 3GPP TS 23.040's examples, in vendors' AT manuals and on the air, and what must come of them. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeSeptets } from '../../../src/modem/sms/gsm7.ts'
import {
  type Deliver,
  emitDeliver,
  emitStatusReport,
  emitSubmit,
  parsePdu,
  type StatusReport,
  type Submit,
} from '../../../src/modem/sms/pdu.ts'
import { timestampText } from '../../../src/modem/sms/timestamp.ts'
import { emitUserData } from '../../../src/modem/sms/user-data.ts'

function deliver(hex: string, tpduBytes?: number): Deliver {
  const pdu = parsePdu(hex, tpduBytes)
  assert.equal(pdu?.type, 'deliver')
  return pdu as Deliver
}

function timeOf({ at }: Deliver): string | undefined {
  return at && timestampText(at)
}

describe('messages from somebody', () => {
  test('a number, 7 bits, a zone east of Greenwich', () => {
    const pdu = deliver('07911326040000F0040B911346610089F60000208062917314800CC8F71D14969741F977FD07')
    assert.equal(pdu.serviceCentre, '+31624000000')
    assert.equal(pdu.from.text, '+31641600986')
    assert.equal(timeOf(pdu), '2002-08-26T19:37:41+02:00')
    assert.equal(pdu.data.text, 'How are you?')
    assert.deepEqual(pdu.faults, [])
  })

  test('a number of neither known kind, the last century', () => {
    const pdu = deliver('07917238010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37')
    assert.equal(pdu.from.text, '27838890001')
    assert.equal(timeOf(pdu), '1999-03-29T15:16:59+02:00')
    assert.equal(pdu.data.text, 'hellohello')
  })

  test('the sign of the zone is a bit of its own', () => {
    // Quarter hours 4A: bit 3 says west, the digits are 2 and 4.
    const pdu = deliver('00040B911346610089F600002080629173144A01' + 'C8')
    assert.equal(timeOf(pdu), '2002-08-26T19:37:41-06:00')
  })

  test('a name as sender', () => {
    // The text of 11 letters fills the address.
    const pdu = deliver('07911326040000F0040BD0C7F7FBCC2E0300002080629173148002C834')
    assert.equal(pdu.from.text, 'Google')
    assert.equal(pdu.from.isName, true)
    assert.equal(pdu.data.text, 'Hi')
  })

  test('UCS2 with a character beyond the first plane', () => {
    const pdu = deliver('0791947106004009040C91948967452301000842203241218540100045006D006F006A00690020D83DDE3A')
    assert.equal(pdu.data.encoding, 'ucs2')
    assert.equal(pdu.data.text, 'Emoji 😺')
    assert.equal(pdu.from.text, '+499876543210')
  })

  test('parts with references of 16 bits', () => {
    const first = deliver('07919730071111F1400B919746121611F10000811170021222230E06080412340201C8329BFD6601')
    const second = deliver('07919730071111F1400B919746121611F10000811170021232230F06080412340202A0FB5BCE268700')
    const expected = { reference: 0x1234, isWide: true, total: 2 }
    assert.deepEqual(first.data.concatenation, { ...expected, sequence: 1 })
    assert.deepEqual(second.data.concatenation, { ...expected, sequence: 2 })
    assert.deepEqual([first.data.text, second.data.text], ['Hello,', ' world!'])
  })

  test('a part with a reference of 8 bits, of 160 septets', () => {
    const pdu = deliver(
      '07918497900000F6400B918406290000F4000002219221351140A005000363080140CCB7BCDC06A5E1F37A1B447EB3DF72D03C4D0785DB653A0B347EBBE7E531BD4CAFCB4161721A9E9E8FD3EE33A8CC4ED35D206899CD2EBBE9E579BC5E06D9D3F47019E42EC7EB6550F95C9ED3C37316C81CAE8FD3E2FA1C5496BFE7A0B49B054A87C775767A0E4AC3E7F5B60B34ADCFE16537393D9F9741E4F4D99D9ECFD36D10FC2DA7D3D3',
    )
    assert.deepEqual(pdu.data.concatenation, { reference: 0x63, isWide: false, total: 8, sequence: 1 })
    assert.equal(pdu.data.text?.length, 153)
    assert.match(pdu.data.text!, /^ ?[\x20-\x7e]+$/)
  })

  test('Turkish by its shift tables, which a header names', () => {
    for (const [languages, size] of [
      [{ singleShift: 1 }, 6],
      [{ locking: 1 }, 3],
      [{ locking: 1, singleShift: 1 }, 3],
    ] as const) {
      const data = emitUserData('gsm7', 'şğı', { languages })
      const pdu = deliver(
        emitDeliver({ from: '+90555', at: { epochMs: 0, zoneMinutes: 180 }, encoding: 'gsm7', data }).hex,
      )
      assert.deepEqual(pdu.data.languages, languages)
      assert.equal(pdu.data.text, 'şğı')
      assert.equal(pdu.data.bytes.length, size)
    }
  })

  test('8-bit data for a port is no text', () => {
    // Application port addressing, 16 bit (3GPP TS 23.040 §9.2.3.24.4), and three octets.
    const data = { length: 10, bytes: Uint8Array.of(6, 5, 4, 0x0b, 0x84, 0, 0, 1, 0, 255), hasHeader: true }
    const pdu = deliver(emitDeliver({ from: '1234', at: { epochMs: 0, zoneMinutes: 0 }, encoding: '8bit', data }).hex)
    assert.equal(pdu.data.text, undefined)
    assert.deepEqual([...pdu.data.bytes], [1, 0, 255])
    assert.equal(pdu.data.destinationPort, 2948)
  })

  test('flash: class 0 in either form of the coding scheme', () => {
    const at = { epochMs: 0, zoneMinutes: 0 }
    const data = emitUserData('gsm7', 'now', { languages: {} })
    assert.equal(
      deliver(emitDeliver({ from: '1', at, encoding: 'gsm7', messageClass: 0, data }).hex).data.messageClass,
      0,
    )
    assert.equal(deliver('00040B911346610089F600F02080629173148002C834').data.messageClass, 0)
  })

  test('the service centre may lack: the length before it tells', () => {
    const hex = '040B911346610089F60000208062917314800CC8F71D14969741F977FD07'
    assert.equal(deliver(hex, hex.length / 2).data.text, 'How are you?')
    const whole = `07911326040000F0${hex}`
    assert.equal(deliver(whole, hex.length / 2).data.text, 'How are you?')
  })
})

describe('the national tables of 23.038, annex A', () => {
  const show = (text: string) => [...text].map((char) => char.codePointAt(0)!.toString(16)).join(' ')

  test('locking shift: places of every language that has one', () => {
    const places = [0x00, 0x04, 0x0e, 0x11, 0x22, 0x28, 0x3c, 0x40, 0x48, 0x4e, 0x57, 0x5f, 0x60, 0x7b, 0x7f]
    const expected: Readonly<Record<number, string>> = {
      1: '40 20ac c5 5f 22 28 3c 130 48 4e 57 a7 e7 e4 e0',
      3: '40 ea c1 5f 22 28 3c cd 48 4e 57 a7 7e e3 e0',
      4: '981 986 fffd fffd 99f 29 fffd 9ac fffd 9bc fffd 9cd 9ce 9d7 9f1',
      5: 'a81 a86 fffd a91 a9f 29 fffd aac fffd abc ac5 acd ad0 ae0 af1',
      6: '901 906 90e 911 91f 29 929 92c 934 93c 945 94d 950 972 97f',
      7: 'fffd c86 c8e fffd c9f 29 fffd cac fffd cbc fffd ccd cd5 cd6 ce3',
      8: 'fffd d06 d0e fffd d1f 29 fffd d2c d34 fffd fffd d4d d57 d60 d79',
      9: 'b01 b06 fffd fffd b1f 29 fffd b2c fffd b3c fffd b4d b56 b57 b63',
      10: 'a01 a06 fffd fffd a1f 29 fffd a2c fffd a3c fffd a4d a51 a70 a74',
      11: 'fffd b86 b8e fffd b9f 29 ba9 fffd bb4 fffd fffd bcd bd0 bd7 bf9',
      12: 'c01 c06 c0e fffd c1f 29 fffd c2c fffd fffd fffd c4d c55 c56 c63',
      13: '627 680 67a 62c 68f 29 69a 635 6aa 645 6be 657 654 655 670',
    }
    for (const [locking, codes] of Object.entries(expected))
      assert.equal(show(decodeSeptets(places, { locking: Number(locking) })), codes, locking)
  })

  test('single shift: places of every language', () => {
    const places = [0x05, 0x09, 0x12, 0x19, 0x1c, 0x23, 0x25, 0x26, 0x2c, 0x30, 0x40, 0x41, 0x49, 0x65, 0x73]
    const expected: Readonly<Record<number, string>> = {
      1: 'e9 c7 3a6 398 c6 23 25 26 2c 30 7c 41 130 20ac 15f',
      2: 'e9 e7 3a6 398 c6 23 25 26 2c 30 7c c1 cd 20ac 73',
      3: 'ea e7 3a6 398 c6 23 25 26 2c 30 7c c0 cd 20ac 73',
      4: '22 27 3e 9e6 9e8 9ef 9e0 9e1 9f3 9f6 7c 41 49 20ac 73',
      5: '22 27 3e 964 ae6 aed aef 26 2c 30 7c 41 49 20ac 73',
      6: '22 27 3e 964 966 96d 96f 951 958 95b 7c 41 49 20ac 73',
      7: '22 27 3e 964 ce6 ced cef cde 2c 30 7c 41 49 20ac 73',
      8: '22 27 3e 964 d66 d6d d6f d70 d74 d7b 7c 41 49 20ac 73',
      9: '22 27 3e 964 b66 b6d b6f b5c b71 30 7c 41 49 20ac 73',
      10: '22 27 3e 964 a66 a6d a6f a59 a5e 30 7c 41 49 20ac 73',
      11: '22 27 3e 964 be6 bed bef bf3 bf7 30 7c 41 49 20ac 73',
      12: '22 27 3e 398 c66 c6d c6f c58 c7a c7d 7c 41 49 20ac 73',
      13: '22 27 3e 600 6f0 6f7 6f9 60c 610 613 7c 41 49 20ac 73',
    }
    for (const [singleShift, codes] of Object.entries(expected))
      assert.equal(
        show(
          decodeSeptets(
            places.flatMap((place) => [0x1b, place]),
            { singleShift: Number(singleShift) },
          ),
        ),
        codes,
        singleShift,
      )
  })

  test('ESC without a character behind it: a space, or the character of the main table', () => {
    assert.equal(decodeSeptets([0x41, 0x1b]), 'A ')
    assert.equal(decodeSeptets([0x1b, 0x1b, 0x41]), ' A')
    assert.equal(decodeSeptets([0x1b, 0x41]), 'A')
    assert.equal(decodeSeptets([0x41], { locking: 99, singleShift: 99 }), 'A')
  })
})

describe('what is broken is read as far as it goes', () => {
  test('the text breaks off', () => {
    const pdu = deliver('07911326040000F0040B911346610089F60000208062917314800CC8F71D1496')
    assert.equal(pdu.data.text, 'How are'.slice(0, pdu.data.text!.length))
    assert.deepEqual(pdu.faults, ['the text is cut off'])
  })

  test('a header that says it is longer than all', () => {
    const pdu = deliver('00440B911346610089F600042080629173148003FF0102')
    assert.deepEqual(pdu.faults, ['the header is longer than the message'])
  })

  test('an element that overruns costs the header, not the text', () => {
    const pdu = deliver('00440B911346610089F6000820806291731480080500FF0801020041')
    assert.deepEqual(pdu.faults, ['the header breaks off'])
    assert.equal(pdu.data.text, 'A')
    assert.equal(pdu.data.concatenation, undefined)
  })

  test('part 3 of 2, part 0: no part', () => {
    for (const numbers of ['0203', '0200', '0001']) {
      const pdu = deliver(`00440B911346610089F6000820806291731480080500037F${numbers}0041`)
      assert.equal(pdu.data.concatenation, undefined)
      assert.equal(pdu.data.text, 'A')
    }
  })

  test('a time of no calendar, half a character', () => {
    const pdu = deliver('00040B911346610089F60008FFFFFFFFFFFFFF03004142')
    assert.equal(pdu.at, undefined)
    assert.equal(pdu.data.text, 'A')
    assert.deepEqual(pdu.faults, ['no time', 'half a character at the end'])
  })

  test('halves of pairs, ESC and NUL stay what they are', () => {
    const pdu = deliver('00040B911346610089F600082080629173148008D83D001B0000DE3A')
    assert.equal(pdu.data.text, '\ud83d\x1b\0\ude3a')
  })

  test('nothing of it is known where even its head is not there', () => {
    for (const hex of ['', '0', 'xyz', '07', '0791', '0700', '00', '0004', '00040B9113', 'FF'.repeat(5)])
      assert.equal(parsePdu(hex), undefined, hex)
  })
})

describe('messages to somebody', () => {
  test('as 27.005 wants them', () => {
    const data = emitUserData('gsm7', 'hellohello', { languages: {} })
    const { hex, tpduBytes } = emitSubmit({ to: '+46708251358', encoding: 'gsm7', data, validityMinutes: 4 * 24 * 60 })
    // The well-known example of the PDU tutorials, with the service centre left to the modem.
    assert.equal(hex, '0011000B916407281553F80000AA0AE8329BFD4697D9EC37')
    assert.equal(tpduBytes, 23)
    assert.equal((parsePdu(hex) as Submit).validityMinutes, 4 * 24 * 60)
  })

  test('with service centre, report, class and UCS2', () => {
    const data = emitUserData('ucs2', 'Б', { languages: {} })
    const { hex, tpduBytes } = emitSubmit({
      serviceCentre: '+4670123',
      to: '16400',
      encoding: 'ucs2',
      messageClass: 0,
      wantsReport: true,
      data,
    })
    const pdu = parsePdu(hex, tpduBytes) as Submit
    assert.deepEqual([pdu.serviceCentre, pdu.to.text, pdu.wantsReport], ['+4670123', '16400', true])
    assert.deepEqual([pdu.data.text, pdu.data.messageClass, pdu.data.encoding], ['Б', 0, 'ucs2'])
  })
})

test('a delivery report', () => {
  const pdu = parsePdu('0006290A81551234567811011121000000110111211000008 0'.replace(' ', '')) as StatusReport
  assert.equal(pdu.type, 'status-report')
  assert.equal(pdu.reference, 0x29)
  assert.equal(pdu.to.text, '5521436587')
  const times = { sentAt: { epochMs: 1e12, zoneMinutes: -120 }, doneAt: { epochMs: 1e12 + 5000, zoneMinutes: 60 } }
  const { hex } = emitStatusReport({ reference: 7, to: '+358', status: 0x41, ...times })
  const own = parsePdu(hex) as StatusReport
  assert.deepEqual(
    [own.reference, own.to.text, own.status, own.sentAt, own.doneAt],
    [7, '+358', 0x41, times.sentAt, times.doneAt],
  )
})
