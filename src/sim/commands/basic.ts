/** V.250's own commands: switches, registers, identity, profiles. D, H and O change the port's mode and live in `at-port.ts`. */

import { ERROR, type Handler, info, OK, whole } from '../answer.ts'

/** Taken and without effect here: speaker, flow control, DCD (a pty has none). */
const accepted: Handler = () => OK

const SWITCH_TESTS: Readonly<Record<string, string>> = {
  '+IPR': '(0,115200)',
  '+ICF': '(3),(0-3)',
  '+IFC': '(0-2),(0-2)',
}

const lineOption: Handler = (command) => {
  if (command.form === 'test') return info(`${command.name}: ${SWITCH_TESTS[command.name] ?? '()'}`)
  if (command.form === 'read') return info(`${command.name}: ${command.name === '+IPR' ? '115200' : '3,3'}`)
  return OK
}

const reset: Handler = (_command, { port }) => {
  port.reset()
  return OK
}

const register: Handler = (command, { port }) => {
  if (command.form === 'read') return info(String(port.registers.get(command.name) ?? 0).padStart(3, '0'))
  if (command.form !== 'set') return ERROR
  port.registers.set(command.name, whole(command.args[0]))
  return OK
}

const identification: Handler = (_command, { modem }) => {
  const { manufacturer, model, revision } = modem.personality.identity
  const values: Readonly<Record<string, string>> = { manufacturer, model, revision, ...modem.identity }
  return info(
    ...modem.personality.identity.info.map((line) => line.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? '')),
  )
}

const oneLine =
  (line: (modem: Parameters<Handler>[1]['modem']) => string): Handler =>
  (command, { modem }) => {
    if (command.form === 'test') return OK
    return command.form === 'execute' ? info(line(modem)) : undefined
  }

const manufacturer = oneLine((modem) => modem.personality.identity.manufacturer)
const model = oneLine((modem) => modem.personality.identity.model)
const revision = oneLine((modem) => modem.personality.identity.revision)
const imei = oneLine((modem) => modem.identity.imei)

export const BASIC_COMMANDS: Readonly<Record<string, Handler>> = {
  E: (command, { port }) => {
    port.echo = command.args[0] === '1'
    return OK
  },
  V: (command, { port }) => {
    port.isVerbose = command.args[0] === '1'
    return OK
  },
  Q: (command, { port }) => {
    port.isQuiet = command.args[0] === '1'
    return OK
  },
  S: register,
  Z: reset,
  '&F': reset,
  '&C': accepted,
  '&D': (command, { port }) => {
    port.hangsUpOnDtr = command.args[0] === '1' || command.args[0] === '2'
    return OK
  },
  '&K': accepted,
  '&S': accepted,
  '&W': accepted,
  '&V': accepted,
  L: accepted,
  M: accepted,
  N: accepted,
  T: accepted,
  P: accepted,
  X: accepted,
  I: identification,
  '+IPR': lineOption,
  '+ICF': lineOption,
  '+IFC': lineOption,
  '+FCLASS': (command) =>
    command.form === 'set' && command.args[0] !== '0' ? ERROR : command.form === 'read' ? info('0') : OK,
  '+GCAP': oneLine(() => '+GCAP: +CGSM'),
  '+GMI': manufacturer,
  '+GMM': model,
  '+GMR': revision,
  '+GSN': imei,
  '+CGMI': manufacturer,
  '+CGMM': model,
  '+CGMR': revision,
  '+CGSN': imei,
  '+CMEE': (command, { port }) => {
    if (command.form === 'test') return info('+CMEE: (0-2)')
    if (command.form === 'read') return info(`+CMEE: ${port.errorLevel}`)
    const level = whole(command.args[0])
    if (command.form !== 'set' || ![0, 1, 2].includes(level)) return ERROR
    port.errorLevel = level
    return OK
  },
  '+CSCS': (command) => {
    if (command.form === 'test') return info('+CSCS: ("IRA","GSM")')
    if (command.form === 'read') return info('+CSCS: "IRA"')
    return command.form === 'set' && ['IRA', 'GSM'].includes(command.args[0] ?? '') ? OK : ERROR
  },
}
