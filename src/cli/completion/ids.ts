/** The pipelines by which completion scripts ask modemd for ids. Ids have no other characters than these, so nothing of a modem reaches the shell as code. */

const EACH_ID = `grep -o '[{,]"id":"[A-Za-z0-9_.-]*"' | sed 's/.*:"//; s/"$//'`

export const MODEM_IDS = `mmctl list --json 2>/dev/null | ${EACH_ID}`
/** Those of \`status\` are the modems first, then the links. */
export const LINK_IDS = `mmctl status --json 2>/dev/null | sed 's/.*"links"://' | ${EACH_ID}`
