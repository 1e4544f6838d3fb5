/** The AT console as the bus sees it. */

export interface ConsoleRequest {
  /** One line of plain ASCII, with its AT. */
  readonly line: string
  /** 0: the modem's usual time. */
  readonly timeoutMs: number
  /** Also what disturbs modemd's own work. The PIN guard is not asked: it always holds. */
  readonly isForced: boolean
}

export interface ConsoleCommands {
  /**
   * What the modem answered, its final result last, a line each; an error of the modem is an answer, too. Rejects with a
   * ModemdError: InvalidArgs (not one line of ASCII), WrongState (refused, with what to use instead), PinGuard, Busy, Timeout,
   * ModemGone.
   */
  command(request: ConsoleRequest): Promise<string>
}
