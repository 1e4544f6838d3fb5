/** Times and counts of a log-in: its own where the settings have some, else LCP's. Used by every log-in of this folder. */

import type { AuthLimits, PppSettings } from '../settings.ts'

export function authLimits(settings: PppSettings, of: 'pap' | 'chap' | 'eap'): AuthLimits {
  const own = settings[of]
  return {
    restartMs: own?.restartMs ?? settings.restartMs,
    maxRequests: own?.maxRequests ?? settings.maxConfigure,
    rechallengeMs: own?.rechallengeMs ?? 0,
  }
}
