/** What the operator's web server says, in a TUN's namespace as well as in user space. It fits one TCP segment. */

/** `clientAddress` is dotted text. */
export function operatorPage(clientAddress: string): string {
  return `Virtual Mobile, the operator behind modem-sim.\nYour address is ${clientAddress}.\n`
}
