/** Reads options from the command line and files into values, by pppd's rules of priority and privilege. Used by `options.ts`. */

import { type Definition, type OptionContext, type Taking, takesArgument } from './options-definition.ts'
import { errnoText } from './options-errors.ts'
import { leadingNumber, toInt, toUnsigned } from './options-numbers.ts'
import type { OptionServices } from './options-services.ts'
import { OPTION_LISTS } from './options-table.ts'
import { defaultValues, type OptionValues } from './options-values.ts'
import { wordsOf } from './options-words.ts'

const FILE_PRIORITY = 1
const COMMAND_LINE_PRIORITY = 2
/** On top, for what nobody may override after root. */
const ROOT_PRIORITY = 100

/** Where the value of an option, or of a group, came from. */
export interface Origin {
  readonly source: string
  readonly priority: number
  /** The member of the group that was given; undefined: another option set it. */
  readonly given: Definition | undefined
}

export class OptionReader {
  readonly values: OptionValues
  /** By the first member of a group. */
  readonly origins = new Map<Definition, Origin>()
  /** Error messages so far, for standard error and syslog. */
  readonly messages: string[] = []
  /** For the log. */
  readonly warnings: string[] = []
  /** `--help`, `--version` came: nothing after them counts. */
  wants: 'help' | 'version' | undefined
  /** After an unknown word of the command line the usage is shown. */
  showsUsage = false
  /** The real user, or a member of a `privgroup`. */
  isUserPrivileged: boolean
  readonly #services: OptionServices
  #isPrivileged = false
  #source = ''
  #priority = FILE_PRIORITY
  #isLineSettled = false
  /** An options file may name itself. */
  #depth = 0

  constructor(services: OptionServices) {
    this.#services = services
    this.values = { ...defaultValues(), hostName: services.hostName }
    this.isUserPrivileged = services.isRoot
  }

  /** No later file names the tty. */
  settleLine(): void {
    this.#isLineSettled = true
  }

  commandLine(argv: readonly string[]): boolean {
    this.#isPrivileged = this.isUserPrivileged
    this.#source = 'command line'
    this.#priority = COMMAND_LINE_PRIORITY
    const words = [...argv]
    while (words.length > 0) {
      const word = words.shift()!
      const definition = this.#find(word)
      if (!definition) {
        this.showsUsage = true
        return this.#fail(`unrecognized option '${word}'`)
      }
      if (takesArgument(definition) && words.length === 0) return this.#fail(`too few parameters for option ${word}`)
      if (!this.#process(definition, takesArgument(definition) ? words.shift()! : word)) return false
      if (this.wants) return true
    }
    return true
  }

  systemFile(path: string, mustExist: boolean): boolean {
    this.#priority = FILE_PRIORITY
    return this.#file(path, { mustExist, isPrivileged: true })
  }

  userFile(path: string): boolean {
    this.#priority = FILE_PRIORITY
    return this.#file(path, { mustExist: false, isPrivileged: this.isUserPrivileged })
  }

  #file(path: string, how: { mustExist: boolean; isPrivileged: boolean }): boolean {
    let text: string
    try {
      text = this.#services.readFile(path).bytes.toString('latin1')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (how.mustExist) return this.#fail(`Can't open options file ${path}: ${errnoText(error)}`)
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        this.warnings.push(`Warning: can't open options file ${path}: ${errnoText(error)}`)
      return true
    }
    if (this.#depth > 20) return this.#fail(`options file ${path} takes itself in again and again`)
    const before = { isPrivileged: this.#isPrivileged, source: this.#source }
    this.#isPrivileged = how.isPrivileged
    this.#source = path
    this.#depth++
    const isRight = this.#fileWords(path, text)
    this.#depth--
    this.#isPrivileged = before.isPrivileged
    this.#source = before.source
    return isRight
  }

  #fileWords(path: string, text: string): boolean {
    const words = wordsOf(text)
    for (const { text: word, isUnfinished } of words) {
      if (isUnfinished) this.warnings.push(`warning: quoted word runs to end of file ${path}`)
      const definition = this.#find(word)
      if (!definition) return this.#fail(`In file ${path}: unrecognized option '${word}'`)
      let argument = word
      if (takesArgument(definition)) {
        const next = words.next()
        if (next.done) return this.#fail(`In file ${path}: too few parameters for option '${word}'`)
        argument = next.value.text
      }
      if (!this.#process(definition, argument)) return false
      if (this.wants) return true
    }
    return true
  }

  #find(word: string): Definition | undefined {
    const all = OPTION_LISTS.flat()
    return (
      all.find((definition) => definition.type !== 'wild' && definition.name === word) ??
      all.find((definition) => definition.type === 'wild' && definition.matches(word, this.#context()))
    )
  }

  #process(definition: Definition, word: string): boolean {
    const first = firstOfGroup(definition)
    const priority = this.#priority + (definition.isFixedByRoot && this.#isPrivileged ? ROOT_PRIORITY : 0)
    const spoken = `${definition.name}${definition.type === 'wild' ? '' : ' option'}`
    const before = this.origins.get(first)
    if (first.group && before && priority < before.priority) {
      if (priority !== COMMAND_LINE_PRIORITY || before.priority <= ROOT_PRIORITY) return true
      return this.#fail(`${spoken} set in ${before.source} cannot be overridden\n`)
    }
    if (first.group && priority > ROOT_PRIORITY && before?.priority === COMMAND_LINE_PRIORITY)
      this.warnings.push(`${spoken} from ${this.#source} overrides command line`)
    if (definition.isPrivileged && !this.#isPrivileged) return this.#fail(`using the ${spoken} requires root privilege`)
    if (definition.enabledBy && this.values[definition.enabledBy] === 0) return this.#fail(`${spoken} is disabled`)
    if (definition.namesLine && this.#isLineSettled)
      return this.#fail(`the ${spoken} may not be changed in ${this.#source}`)
    if (definition.refusal !== undefined)
      return this.#fail(`the ${definition.name} option is not supported: ${definition.refusal}`)
    const fault = this.#take(definition, word)
    if (fault !== undefined) return fault === '' ? false : this.#fail(fault)
    Object.assign(this.values, definition.sets)
    this.origins.set(first, { source: this.#source, priority, given: definition })
    return true
  }

  #take(definition: Definition, word: string): Taking {
    const { values } = this
    switch (definition.type) {
      case 'flag':
        values[definition.key] = definition.value
        return undefined
      case 'counter':
        values[definition.key]++
        return undefined
      case 'integer':
        return this.#takeInteger(definition, word)
      case 'hex-mask': {
        const mask = definition.mask === undefined ? leadingNumber(word, 16)?.value : BigInt(definition.mask)
        if (mask === undefined) return invalidNumber(word, definition.name)
        values[definition.key] = (values[definition.key] | toUnsigned(mask)) >>> 0
        return undefined
      }
      case 'text':
        values[definition.key] = cut(word, definition.longestBytes)
        return undefined
      case 'special':
      case 'wild':
        return definition.take(word, this.#context())
      case 'information':
        this.wants = definition.about
        return undefined
    }
  }

  #takeInteger(definition: Definition & { type: 'integer' }, word: string): Taking {
    const { name, key, least, most, isCeiling } = definition
    const parsed = leadingNumber(word, 0)
    if (!parsed) return invalidNumber(word, name)
    const value = toInt(parsed.value)
    if (least !== undefined && most !== undefined && (value < least || value > most))
      return `${name} value must be between ${least} and ${most}`
    if (least !== undefined && value < least) return `${name} value must be >= ${least}`
    const before = this.values[key]
    if (isCeiling && !this.#isPrivileged && before !== 0 && (value === 0 || value > before))
      return `${name} value cannot be increased`
    this.values[key] = value
    return undefined
  }

  #context(): OptionContext {
    return {
      values: this.values,
      services: this.#services,
      isPrivileged: this.#isPrivileged,
      source: this.#source,
      priority: this.#priority,
      overrides: (name) => this.#overrides(name),
      readFile: (path, as) => this.#file(path, { mustExist: true, isPrivileged: as === 'peer' || this.#isPrivileged }),
      complain: (message) => this.messages.push(message),
      warn: (message) => this.warnings.push(message),
      grantPrivileges: () => {
        this.isUserPrivileged = true
      },
    }
  }

  #overrides(name: string): boolean {
    const first = firstOfGroup(OPTION_LISTS.flat().find((definition) => definition.name === name)!)
    if (first.group && this.#priority < (this.origins.get(first)?.priority ?? 0)) return false
    this.origins.set(first, { source: this.#source, priority: this.#priority, given: undefined })
    return true
  }

  #fail(message: string): false {
    this.messages.push(message)
    return false
  }
}

function firstOfGroup(definition: Definition): Definition {
  if (definition.group !== 'later') return definition
  const list = OPTION_LISTS.find((each) => each.includes(definition))!
  let at = list.indexOf(definition)
  while (list[at]!.group === 'later') at--
  return list[at]!
}

function invalidNumber(word: string, option: string): string {
  return `invalid numeric parameter '${word}' for ${option} option`
}

/** By bytes, as C cuts. */
function cut(word: string, longestBytes: number | undefined): string {
  if (longestBytes === undefined || Buffer.byteLength(word) <= longestBytes) return word
  return Buffer.from(word).subarray(0, longestBytes).toString('utf8')
}
