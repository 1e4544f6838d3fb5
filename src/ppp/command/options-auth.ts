/**
 * Who logs in with what: the secrets files and pppd's rules about them, as the session's functions. Secrets are read anew
 * at each call. Used by `options-settings.ts`, and by `options-check.ts` before anything runs.
 */

import type { AuthProtocol, PppSettings } from '../settings.ts'
import type { OptionServices } from './options-services.ts'
import { addressOf, isBadAddress } from './options-special-network.ts'
import type { OptionValues } from './options-values.ts'
import { type FoundSecret, SecretsFile } from './secrets.ts'
import { AddressRules, allowsAny } from './secrets-addresses.ts'

const CHAP_FAMILY: readonly AuthProtocol[] = ['chap', 'mschapv2', 'mschap']

export interface PeerSecrets {
  readonly canExamine: boolean
  /** Secrets there are, but none that lets the peer have an address. */
  readonly lacksAddress: boolean
}

export class Credentials {
  readonly #values: OptionValues
  readonly #services: OptionServices
  readonly #notice: (line: string) => void
  readonly #pap: SecretsFile
  readonly #chap: SecretsFile
  /** Of the peer that was examined last. */
  #rules: AddressRules | undefined

  constructor(values: OptionValues, services: OptionServices, notice: (line: string) => void) {
    this.#values = values
    this.#services = services
    this.#notice = notice
    const host = { readFile: services.readFile.bind(services), notice }
    this.#pap = new SecretsFile(`${values.secretsDirectory}/pap-secrets`, host)
    this.#chap = new SecretsFile(`${values.secretsDirectory}/chap-secrets`, host)
    if (values.authRequired === 0 && values.allowedAddresses.length > 0) this.#permit([])
  }

  get ourName(): string {
    return this.#values.name || this.#values.hostName
  }

  get user(): string {
    const { user, isUserGiven } = this.#values
    return user === '' && !isUserGiven ? this.ourName : user
  }

  /** Before the peer is asked: is there any secret that it could use? */
  peerSecrets(): PeerSecrets {
    const { usesLogin } = this.#values
    const wanted = this.#wanted()
    const lists: (readonly string[] | undefined)[] = []
    if (wanted.includes('pap')) {
      if (usesLogin) return { canExamine: true, lacksAddress: false }
      lists.push(this.#pap.addressesFor(this.#explicitRemote, this.ourName))
    }
    if (wanted.some((protocol) => protocol !== 'pap')) lists.push(this.#chapAddresses())
    const found = lists.filter((list) => list !== undefined)
    const canExamine = found.some(allowsAny)
    return { canExamine, lacksAddress: !canExamine && found.length > 0 }
  }

  /** What the session is told. */
  settings(): Pick<
    PppSettings,
    | 'answersAuth'
    | 'requiresAuth'
    | 'user'
    | 'ownName'
    | 'password'
    | 'loginSecretOf'
    | 'secretOf'
    | 'checkPassword'
    | 'remoteAddressOf'
    | 'allowsRemoteAddress'
  > {
    const values = this.#values
    const requiresAuth = this.#requires()
    const papPassword =
      values.password === '' && !values.isPasswordGiven ? this.#papPassword()?.secret : values.password
    const isChapOurs = values.password !== '' || this.#hasChapLogin()
    return {
      answersAuth: this.#answers(
        values.password !== '' || (papPassword !== undefined && !values.isPasswordGiven),
        isChapOurs,
      ),
      requiresAuth,
      user: this.user,
      ownName: this.ourName,
      password: papPassword ?? '',
      loginSecretOf: values.password === '' ? (challenger) => this.#chapSecret(challenger) : undefined,
      secretOf: (peer) => this.#secretOf(peer),
      checkPassword: (peer, password) => this.#checkPassword(peer, password),
      remoteAddressOf: () => this.#remoteAddress(),
      allowsRemoteAddress: (address) => this.#allows(address),
    }
  }

  get #explicitRemote(): string | undefined {
    return this.#values.isRemoteNameGiven ? this.#values.remoteName : undefined
  }

  #wanted(): readonly AuthProtocol[] {
    const { authRequired, wantsEap, wantsChap, wantsMschap, wantsMschapV2, wantsPap, usesLogin } = this.#values
    if (!authRequired) return []
    const all: readonly AuthProtocol[] = usesLogin ? ['pap'] : ['eap', ...CHAP_FAMILY, 'pap']
    const named = { eap: wantsEap, chap: wantsChap, mschapv2: wantsMschapV2, mschap: wantsMschap, pap: wantsPap }
    const asked = all.filter((protocol) => named[protocol])
    return asked.length > 0 ? asked : all
  }

  /** What has no secret is not asked for; nothing left of what must be: all is asked for, and fails. */
  #requires(): readonly AuthProtocol[] {
    const wanted = this.#wanted()
    const { usesLogin, allowedAddresses } = this.#values
    const hasPap = usesLogin || allowsAny(this.#pap.addressesFor(this.#explicitRemote, this.ourName) ?? [])
    const hasChap = allowsAny(this.#chapAddresses() ?? [])
    const usable = wanted.filter((protocol) => (protocol === 'pap' ? hasPap : hasChap))
    return usable.length > 0 || allowedAddresses.length > 0 ? usable : wanted
  }

  #answers(hasPap: boolean, hasChap: boolean): readonly AuthProtocol[] {
    const { refusesEap, refusesChap, refusesMschapV2, refusesMschap, refusesPap } = this.#values
    const refused = {
      eap: refusesEap,
      chap: refusesChap,
      mschapv2: refusesMschapV2,
      mschap: refusesMschap,
      pap: refusesPap,
    }
    const able: readonly AuthProtocol[] = [
      ...(hasChap ? (['eap', ...CHAP_FAMILY] as const) : []),
      ...(hasPap ? (['pap'] as const) : []),
    ]
    return able.filter((protocol) => !refused[protocol])
  }

  #chapAddresses(): readonly string[] | undefined {
    return this.#chap.addressesFor(this.#explicitRemote || undefined, this.ourName || undefined)
  }

  #hasChapLogin(): boolean {
    return this.#chap.addressesFor(this.user || undefined, this.#explicitRemote || undefined) !== undefined
  }

  #papPassword(): FoundSecret | undefined {
    if (this.#pap.addressesFor(this.user, this.#values.remoteName || undefined) === undefined) return undefined
    return this.#pap.find(this.user, this.#values.remoteName || undefined, 'PAP password file')
  }

  /** For a challenge of that name; a remote name of ours wins over it. */
  #chapSecret(challenger: string): string | undefined {
    const { remoteName } = this.#values
    const server = this.#explicitRemote ?? (challenger === '' ? remoteName : challenger)
    return this.#chap.find(this.user, server, 'chap secret file')?.secret
  }

  #secretOf(peer: string): string | undefined {
    const name = this.#explicitRemote ?? this.#withoutDomain(peer)
    const found = this.#chap.find(name, this.ourName, 'chap secret file')
    if (found) this.#permit(found.addresses)
    return found?.secret
  }

  #withoutDomain(peer: string): string {
    return this.#values.stripsDomain ? peer.slice(peer.lastIndexOf('\\') + 1) : peer
  }

  /** The secret may be crypted, `""` (any), `@login` (the system's); with `login` the system's must agree as well. */
  #checkPassword(peer: string, password: string): boolean {
    const found = this.#pap.find(peer, this.ourName, 'PAP password file')
    if (!found) {
      this.#notice(`no PAP secret found for ${JSON.stringify(peer)}`)
      return false
    }
    const { secret } = found
    const asksSystem = secret === '@login'
    if ((this.#values.usesLogin || asksSystem) && !this.#systemAgrees(peer, password)) return false
    if (secret !== '' && !asksSystem && !this.#isSecret(password, secret)) return false
    this.#permit(found.addresses)
    return true
  }

  #isSecret(password: string, secret: string): boolean {
    if (!this.#values.papSecretsAreCrypted && password === secret) return true
    return this.#services.crypt(password, secret) === secret
  }

  #systemAgrees(peer: string, password: string): boolean {
    const answer = this.#services.checkSystemPassword(peer, password)
    if (answer === undefined)
      this.#notice('the system password cannot be checked here: it needs root, /etc/shadow and libcrypt.so.1')
    return answer ?? false
  }

  #permit(addresses: readonly string[]): void {
    const words = [...addresses, ...this.#values.allowedAddresses.map(({ value }) => value)]
    const { unit } = this.#values
    this.#rules = new AddressRules(words, {
      addressOf: (word) => addressOf(word, { services: this.#services }),
      unit: unit < 0 ? undefined : unit,
      notice: this.#notice,
    })
  }

  /** Where ours is none that the peer may have: the first that it may. */
  #remoteAddress(): number | undefined {
    const { remoteAddress } = this.#values
    if (remoteAddress !== 0 && this.#allows(remoteAddress)) return undefined
    return this.#rules?.suggested
  }

  #allows(address: number): boolean {
    if (isBadAddress(address)) return false
    return this.#rules ? this.#rules.permits(address) : this.#values.authRequired === 0
  }
}
