/** pppd's exit codes by their meaning (pppd(8), EXIT STATUS): those that modem-ppp itself comes to. `../exit-codes.ts` has the session's. */
export const EXIT = {
  ok: 0,
  fatal: 1,
  options: 2,
  notRoot: 3,
  noKernelSupport: 4,
  userRequest: 5,
  lockFailed: 6,
  openFailed: 7,
  connectFailed: 8,
  ptyFailed: 9,
  negotiationFailed: 10,
  idle: 12,
  hangUp: 16,
  initFailed: 18,
} as const
