/** What a modem tells its ports unasked, and which lines of it one port says. Used by `modem-state.ts` and `at-port.ts`. */

import type { Party } from './call-context.ts'
import type { ModemState } from './modem-state.ts'
import type { PortSettings, RegistrationDomain } from './port-settings.ts'
import { spaced } from './reply-text.ts'
import type { Routing } from './sms-inbox.ts'

export type Report =
  | { readonly kind: 'registration' }
  /** A line of the vendor's own, for the `at` port. */
  | { readonly kind: 'vendor'; readonly line: string; readonly isSignal?: boolean }
  /** News of short messages, for the ports that want it. */
  | { readonly kind: 'message'; readonly line: string; readonly wanted: (routing: Routing) => boolean }
  /** +CUSD, for the ports that want it. */
  | { readonly kind: 'ussd'; readonly line: string }
  /** +CGEV, for the ports that want it. */
  | { readonly kind: 'packet'; readonly line: string }
  /** The call is over and not by the host. */
  | { readonly kind: 'call-lost'; readonly by: Party }

/** `isReportPort`: it has the vendor's. */
export function reportLines(
  report: Exclude<Report, { kind: 'call-lost' }>,
  settings: PortSettings,
  modem: ModemState,
  isReportPort: boolean,
): readonly string[] {
  const { dialect } = modem.personality
  switch (report.kind) {
    case 'message':
      return report.wanted(settings.messages) ? [spaced(report.line, dialect)] : []
    case 'ussd':
      return settings.wantsUssd ? [spaced(report.line, dialect)] : []
    case 'packet':
      return settings.packetEvents > 0 ? [spaced(report.line, dialect)] : []
    case 'vendor': {
      const isWanted = settings.wantsVendorReports && (!report.isSignal || settings.wantsSignalReports)
      return isReportPort && isWanted ? [report.line] : []
    }
    case 'registration': {
      const domains = Object.entries(settings.reportLevel) as [RegistrationDomain, number][]
      const placeAt = (level: number) => (level === 2 && modem.isRegistered ? `,${modem.place}` : '')
      return domains.flatMap(([domain, level]) =>
        level > 0 ? [spaced(`${domain}: ${modem.registration}${placeAt(level)}`, dialect)] : [],
      )
    }
  }
}
