/** What modem-ppp says about itself. */

import { VERSION } from '../../base/version.ts'

export const VERSION_TEXT = `modem-ppp ${VERSION}\n`

/** pppd's, the answer to an unknown option. */
export function usage(program: string): string {
  return `modem-ppp version ${VERSION}
Usage: ${program} [ options ], where options are:
	<device>	Communicate over the named device
	<speed>		Set the baud rate to <speed>
	<loc>:<rem>	Set the local and/or remote interface IP
			addresses.  Either one may be omitted.
	asyncmap <n>	Set the desired async map to hex <n>
	auth		Require authentication from peer
        connect <p>     Invoke shell command <p> to set up the serial line
	crtscts		Use hardware RTS/CTS flow control
	defaultroute	Add default route through interface
	file <f>	Take options from file <f>
	modem		Use modem control lines
	mru <n>		Set MRU value to <n> for negotiation
See modem-ppp(8) for more options.
`
}

export const HELP_TEXT = `modem-ppp [TTY [SPEED]] [LOCAL:REMOTE] [OPTION ...]
Brings up PPP on a serial line, as client or server: pppd(8)'s options and
files, without pppd. modem-ppp(8) lists every option.

  TTY, SPEED         the line; notty: standard input and output;
                     pty COMMAND: a command's
  LOCAL:REMOTE       the addresses of both ends; what is missing the peer says
  call NAME, file F  options from /etc/ppp/peers/NAME, from F
  connect COMMAND    dials: a shell command with the line as standard input and
                     output; init, disconnect: the same before and at the end
  user NAME          who we are; the password is in pap-secrets or chap-secrets
  auth, noauth       the peer must log in, or need not; by require-pap,
                     require-chap, require-mschap-v2, require-eap
  usepeerdns         ask for name servers; ms-dns ADDRESS: give one
  defaultroute       route through the link; defaultroute-metric N,
                     replacedefaultroute
  +ipv6, noipv6, noip
                     which protocols run
  lcp-echo-interval S, lcp-echo-failure N
                     the link is lost after N unanswered echoes
  persist, maxfail N, holdoff S
                     try again after the end of a link
  nodetach, updetach stay in the foreground; leave it when the link is up;
                     detach takes nodetach back
  debug, dump, dryrun
                     log each control packet; show the options in effect; and
                     only that
  record FILE        every byte for pppdump(8); pcap FILE: for tshark; passwords
                     of PAP are blotted out
  engine E           auto, builtin (any kernel) or kernel (its own PPP)
  secrets-dir DIR    where pap-secrets and chap-secrets are (/etc/ppp)
  --help, --version

Exit codes, pppd's:
  0  was up and ended as asked     11  the peer did not log in
  1  fatal error                   12  idle
  2  wrong option                  13  time limit
  3  no rights                     14  called back
  4  no PPP on this machine        15  echoes unanswered
  5  ended by a signal             16  hung up
  6  line locked                   17  loop-back
  7  line cannot be opened         18  init script failed
  8  connect script failed         19  our log-in was refused
  9  pty command failed            20  traffic limit
 10  negotiation failed            21  caller's number not allowed

Example:
  modem-ppp ttyUSB0 115200 noauth user internet usepeerdns defaultroute \\
    connect 'modem-chat "" ATD*99# CONNECT'
`
