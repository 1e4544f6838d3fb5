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
Brings up PPP on a serial line, as client or server: pppd(8)'s options and files, without pppd.

  TTY, SPEED          the line; notty: standard input and output; pty COMMAND: a command's
  LOCAL:REMOTE        the addresses of both ends; either may be missing, and is the peer's to say
  call NAME, file F   options from /etc/ppp/peers/NAME, from F
  connect COMMAND     dials: a shell command with the line as standard input and output
  disconnect, init    the same at the end, before the start
  user NAME           who we are; the password comes from pap-secrets or chap-secrets
  auth, noauth        the peer must log in, or need not; require-pap, -chap, -mschap-v2, -eap say how
  usepeerdns          ask for name servers; ms-dns ADDRESS: give one
  defaultroute        route through the link; defaultroute-metric N, replacedefaultroute
  +ipv6, noipv6, noip which protocols run
  lcp-echo-interval S, lcp-echo-failure N
                      the link is lost after N unanswered echoes
  persist, maxfail N, holdoff S
                      try again after the end of a link
  nodetach, updetach  stay in the foreground; leave it when the link is up
  debug, dump, dryrun log each control packet; show the options in effect; and only that
  record FILE         every byte for pppdump(8); pcap FILE: for tshark; passwords of PAP are blotted out
  engine E            auto, builtin (any kernel) or kernel (its own PPP)
  secrets-dir DIR     where pap-secrets and chap-secrets are (/etc/ppp)
  --help, --version

Exit codes: 0 link was up and ended as asked; 1 fatal error; 2 wrong option; 3 no rights; 4 no PPP in the kernel; 5 signal; 6 line
locked; 7 line cannot be opened; 8 connect script failed; 9 pty command failed; 10 negotiation failed; 11 peer did not log in;
12 idle; 13 time limit; 14 called back; 15 echoes unanswered; 16 hung up; 17 loop-back; 18 init script failed; 19 our log-in was
refused; 20 traffic limit; 21 caller's number not allowed.

Example: modem-ppp ttyUSB0 115200 noauth user internet usepeerdns defaultroute connect 'modem-chat "" ATD*99# CONNECT'
`
