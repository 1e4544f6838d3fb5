/** modem-ppp as a program: a link between two of it, its log, files, signals, and the ways it ends. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { openTun } from '../../../src/system/tun.ts'
import { inNamespace } from '../../support/in-namespace.ts'
import { needs } from '../../support/needs.ts'
import { run } from '../../system/run.ts'
import { until } from '../../system/until.ts'
import { Cable, clientArgs, folder, MODEM_PPP, makePrivatePlaces, modemPpp, QUICK, serverArgs } from './rig.ts'

if (inNamespace(import.meta.url, needs('tun', 'ip', 'ping', 'pppd', 'tshark'))) {
  makePrivatePlaces()
  tests()
}

function tests(): void {
  test('two of ours: what is said, ping, pid files, the end by a signal', async (t) => {
    const cable = new Cable(t)
    const server = modemPpp(t, serverArgs(cable.farTty, 'noauth', 'ms-dns', '10.0.0.53', 'ms-dns', '10.0.0.54'), {
      isApart: true,
    })
    const client = modemPpp(t, clientArgs(cable.tty, 'usepeerdns', 'linkname', 'lk', 'defaultroute'))
    await client.says(/secondary DNS/)
    await server.says(/remote IP/)
    const pid = client.child.pid
    assert.equal(readFileSync('/run/ppp0.pid', 'utf8'), `${pid}\n`)
    assert.equal(readFileSync('/run/ppp-lk.pid', 'utf8'), `${pid}\nppp0\n`)
    assert.equal(readFileSync('/etc/ppp/resolv.conf', 'utf8'), 'nameserver 10.0.0.53\nnameserver 10.0.0.54\n')
    assert.match((await run('ip', 'route')).output, /^default dev ppp0 /m)
    const pinged = await run('ping', '-c', '1', '-W', '5', '10.64.64.64')
    assert.match(pinged.output, /1 received, 0% packet loss/)

    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
    // An answer to its Terminate-Request, and then no hang-up: the cable is still there.
    assert.equal(await server.end(), 0)
    assert.deepEqual(client.lines, [
      'Using interface ppp0',
      `Connect: ppp0 <--> ${cable.tty}`,
      'local  IP address 10.64.0.2',
      'remote IP address 10.64.64.64',
      'primary   DNS address 10.0.0.53',
      'secondary DNS address 10.0.0.54',
      'Terminating on signal 15',
      'Connect time 0.0 minutes.',
      'Sent 84 bytes, received 84 bytes.',
      'Connection terminated.',
    ])
    assert.match(server.output, /^LCP terminated by peer \(.*\)\nConnect time .*\nSent .*\nConnection terminated\.$/m)
    assert.deepEqual(
      ['/run/ppp0.pid', '/run/ppp-lk.pid'].filter((file) => existsSync(file)),
      [],
    )
    assert.notEqual((await run('ip', 'link', 'show', 'ppp0')).status, 0)
  })

  test('debug shows each packet, and no secret', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'require-pap', 'name', 'server'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty, 'debug', 'user', 'alice'))
    await client.says(/remote IP/)
    assert.match(client.output, /^sent \[PAP AuthReq id=0x1 user="alice" password=<hidden>\]$/m)
    assert.match(client.output, /^rcvd \[PAP AuthAck id=0x1.*\]\n(Remote message: .*\n)?PAP authentication succeeded$/m)
    assert.doesNotMatch(client.output, /sekret/)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
    // The statistics belong to the link's end, before the good-bye.
    assert.match(client.output, /^Terminating on signal 15\nConnect time .*\nSent .*\nsent \[LCP TermReq /m)
  })

  test('SIGUSR1 turns debug on and off; SIGUSR2 does no harm', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty))
    await client.says(/remote IP/)
    client.child.kill('SIGUSR1')
    // Its debug line tells that the other signal was heard.
    await until('debug is on', () => client.child.kill('SIGUSR2') && /SIGUSR2/.test(client.output))
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
    assert.match(client.output, /^sent \[LCP TermReq /m)
    assert.doesNotMatch(`${client.output}${client.stderr}`, /ConfReq|[Dd]ebugger/)
  })

  test('the line hangs up: 16', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty))
    await client.says(/remote IP/)
    cable.near.hangUp()
    assert.equal(await client.end(), 16)
    assert.match(client.output, /^Modem hangup\nConnect time .*\nSent .*\nConnection terminated\.\n$/m)
  })

  test('killed, it leaves nothing that hinders the next', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth', 'persist', 'holdoff', '0'), { isApart: true })
    const first = modemPpp(t, clientArgs(cable.tty, 'lock', 'linkname', 'lk', 'unit', '7'))
    await first.says(/remote IP/)
    const lock = `/run/lock/LCK..${cable.tty.slice(5).replaceAll('/', '_')}`
    assert.equal(Number.parseInt(readFileSync(lock, 'utf8'), 10), first.child.pid)
    first.child.kill('SIGKILL')
    await first.end()
    assert.notEqual((await run('ip', 'link', 'show', 'ppp7')).status, 0)
    assert.ok(existsSync('/run/ppp7.pid'))
    const second = modemPpp(t, clientArgs(cable.tty, 'lock', 'linkname', 'lk', 'unit', '8'))
    await second.says(/remote IP/)
    assert.equal(Number.parseInt(readFileSync(lock, 'utf8'), 10), second.child.pid)
    assert.equal(readFileSync('/run/ppp-lk.pid', 'utf8'), `${second.child.pid}\nppp8\n`)
    assert.equal(existsSync('/run/ppp7.pid'), false)
    second.child.kill('SIGINT')
    assert.equal(await second.end(), 5)
    assert.equal(existsSync(lock), false)
  })

  test('persist dials again after a hang-up by signal, and SIGTERM ends it', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth', 'persist', 'holdoff', '0', 'maxfail', '0'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty, 'persist', 'holdoff', '0'))
    await client.says(/remote IP/)
    client.child.kill('SIGHUP')
    await client.says(/remote IP[\s\S]*Hangup \(SIGHUP\)\n[\s\S]*Connection terminated[\s\S]*remote IP/)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
  })

  test('persist gives up after maxfail attempts; a pause ends with SIGTERM', async (t) => {
    const cable = new Cable(t)
    const failing = ['connect', 'exit 1', 'persist', 'holdoff']
    const client = modemPpp(t, clientArgs(cable.tty, ...failing, '0', 'maxfail', '3'))
    assert.equal(await client.end(), 8)
    assert.deepEqual(client.lines, Array(3).fill('Connect script failed'))
    const waiting = modemPpp(t, clientArgs(cable.tty, ...failing, '1000'))
    await waiting.says(/Connect script failed/)
    waiting.child.kill('SIGTERM')
    assert.equal(await waiting.end(), 5)
  })

  test('updetach: the first process ends with 0 when the link is up, the second goes on', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const args = clientArgs(cable.tty, 'updetach', 'linkname', 'lk').filter((word) => word !== 'nodetach')
    const first = modemPpp(t, args)
    assert.equal(await first.end(), 0)
    // Its standard output was the second's too until now.
    assert.match(first.output, /remote IP address/)
    const pid = Number.parseInt(readFileSync('/run/ppp-lk.pid', 'utf8'), 10)
    assert.notEqual(pid, first.child.pid)
    assert.match((await run('ip', 'addr', 'show', 'ppp0')).output, /inet 10\.64\.0\.2 /)
    process.kill(pid, 'SIGTERM')
    await until('the second ends', () => !existsSync('/run/ppp-lk.pid'), 10_000)
  })

  test('updetach: what goes wrong before is the first process’s exit code', async (t) => {
    const cable = new Cable(t)
    const args = clientArgs(cable.tty, 'updetach', 'connect', 'exit 4').filter((word) => word !== 'nodetach')
    const first = modemPpp(t, args)
    assert.equal(await first.end(), 8)
    assert.match(first.output, /Connect script failed/)
  })

  test('updetach: a signal for the first is for the second; killed, it takes the second along', async (t) => {
    const cable = new Cable(t)
    const args = clientArgs(cable.tty, 'updetach', 'silent', 'linkname', 'lk').filter((word) => word !== 'nodetach')
    const first = modemPpp(t, args)
    await first.says(/Connect:/)
    first.child.kill('SIGTERM')
    assert.equal(await first.end(), 5)
    const second = modemPpp(t, args)
    await second.says(/Connect:/)
    second.child.kill('SIGKILL')
    await until('its child ends too', () => !existsSync('/run/ppp-lk.pid'), 10_000)
  })

  test('without nodetach the program is back at once, with 0, and works on', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const log = `${folder}/detached.log`
    const args = clientArgs(cable.tty, 'linkname', 'lk', 'logfile', log).filter((word) => word !== 'nodetach')
    const first = modemPpp(t, args)
    assert.equal(await first.end(), 0)
    assert.equal(first.output, '')
    await until('the link is up', () => existsSync(log) && /remote IP/.test(readFileSync(log, 'utf8')), 10_000)
    process.kill(Number.parseInt(readFileSync('/run/ppp-lk.pid', 'utf8'), 10), 'SIGTERM')
    await until('the end', () => !existsSync('/run/ppp-lk.pid'), 10_000)
    assert.match(readFileSync(log, 'utf8'), /Terminating on signal 15/)
  })

  test('notty: on standard input and output, as below ssh', async (t) => {
    const cable = new Cable(t)
    const client = modemPpp(t, clientArgs(cable.farTty), { isApart: true })
    const log = `${folder}/notty.log`
    const args = ['notty', 'nodetach', 'noauth', '10.64.64.64:10.64.0.2', ...QUICK, 'logfile', log]
    const server = modemPpp(t, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    server.child.stdout!.setEncoding('latin1').on('data', (text) => cable.near.write(Buffer.from(text, 'latin1')))
    cable.near.onData((bytes) => server.child.stdin!.write(bytes))
    cable.far.onData((bytes) => server.child.stdin!.write(bytes))
    server.child.stdout!.removeAllListeners('data').on('data', (text) => cable.far.write(Buffer.from(text, 'latin1')))
    await client.says(/remote IP/)
    const pinged = await run('ping', '-c', '1', '-W', '5', '10.64.0.2')
    assert.match(pinged.output, /1 received, 0% packet loss/)
    server.child.stdin!.end()
    assert.equal(await server.end(), 16)
    assert.match(readFileSync(log, 'utf8'), /Modem hangup/)
  })

  test('pty: a command is the line', async (t) => {
    const far = ['modem-ppp', 'notty', 'noauth', '10.64.64.64:10.64.0.2', ...QUICK]
    const script = `${folder}/far.sh`
    writeFileSync(script, `exec unshare -n ${process.execPath} ${MODEM_PPP} ${far.slice(1).join(' ')} nodetach\n`)
    const client = modemPpp(t, ['pty', `sh ${script}`, 'nodetach', 'noauth', 'noipdefault', ...QUICK])
    await client.says(/remote IP address 10\.64\.64\.64/)
    assert.match(client.output, /^Connect: ppp0 <--> \/dev\/pts\/\d+$/m)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
  })

  test('no tty is named: the terminal on standard input, as below a login shell', async (t) => {
    const cable = new Cable(t)
    const client = modemPpp(t, clientArgs(cable.farTty), { isApart: true })
    const terminal = openSync(cable.tty, constants.O_RDWR | constants.O_NOCTTY)
    const log = `${folder}/shell.log`
    const args = ['noauth', '10.64.64.64:10.64.0.2', 'modem', 'linkname', 'lk', ...QUICK, 'logfile', log]
    const server = modemPpp(t, args, { stdio: [terminal, terminal, terminal] })
    closeSync(terminal)
    await client.says(/remote IP/)
    assert.match(readFileSync(log, 'utf8'), new RegExp(`Connect: ppp0 <--> ${cable.tty}`))
    // It did not detach: the shell waits for it.
    assert.equal(Number.parseInt(readFileSync('/run/ppp-lk.pid', 'utf8'), 10), server.child.pid)
    client.child.kill('SIGTERM')
    assert.equal(await server.end(), 0)
    const settings = await run('stty', '-F', cable.tty, 'speed')
    assert.equal(settings.status, 0)
  })

  test('record and pcap: pppdump and tshark read them, and no password is in them', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'require-pap', 'name', 'server'), { isApart: true })
    const [recordFile, pcapFile] = [`${folder}/line.record`, `${folder}/line.pcap`]
    const words = ['user', 'alice', 'record', recordFile, 'pcap', pcapFile]
    const client = modemPpp(t, clientArgs(cable.tty, ...words))
    await client.says(/remote IP/)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
    const dump = await run('pppdump', '-p', recordFile)
    assert.match(dump.output, /^sent {2}ff 03 c0 21 01 01 /m)
    assert.match(dump.output, /^rcvd {2}80 21 01 01 00 0a 03 06 0a 40 40 40 /m)
    const shown = await run('tshark', '-r', pcapFile)
    assert.match(shown.output, /PPP IPCP .*Configuration Request/)
    for (const file of [recordFile, pcapFile]) assert.doesNotMatch(readFileSync(file, 'latin1'), /sekret/)
  })

  test('a log that takes nothing any more: said once, and the link goes on', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty, 'logfile', '/dev/full', 'linkname', 'lk'))
    await until('the complaint', () => client.stderr !== '', 10_000)
    assert.equal(
      client.stderr,
      'modem-ppp: cannot write to /dev/full: No space left on device: what follows goes to syslog only\n',
    )
    const up = () => spawnSync('ip', ['addr', 'show', 'ppp0'], { encoding: 'utf8' }).stdout.includes('10.64.0.2')
    await until('it is up', up, 10_000)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
  })

  test('standard output that is closed by its reader ends the log only', async (t) => {
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth'), { isApart: true })
    const client = modemPpp(t, clientArgs(cable.tty))
    await client.says(/Using interface/)
    client.child.stdout!.destroy()
    await until('the complaint', () => /cannot write to the log: Broken pipe/.test(client.stderr), 10_000)
    client.child.kill('SIGTERM')
    assert.equal(await client.end(), 5)
  })

  test('defaultroute leaves a default route alone, replacedefaultroute puts it aside and back', async (t) => {
    const lan = openTun('lan0')
    t.after(() => lan.close())
    for (const words of ['link set lan0 up', 'addr add 192.0.2.1/24 dev lan0', 'route add default via 192.0.2.9'])
      assert.equal((await run('ip', ...words.split(' '))).status, 0)
    const cable = new Cable(t)
    modemPpp(t, serverArgs(cable.farTty, 'noauth', 'persist', 'holdoff', '0'), { isApart: true })
    const polite = modemPpp(t, clientArgs(cable.tty, 'defaultroute'))
    await polite.says(/remote IP/)
    assert.match(polite.output, /^not replacing existing default route via gateway 192\.0\.2\.9$/m)
    assert.match((await run('ip', 'route')).output, /^default via 192\.0\.2\.9/)
    polite.child.kill('SIGTERM')
    await polite.end()
    const replacing = modemPpp(t, clientArgs(cable.tty, 'defaultroute', 'replacedefaultroute'))
    await replacing.says(/remote IP/)
    assert.match(replacing.output, /^replacing old default route to lan0 \[192\.0\.2\.9\]$/m)
    assert.match((await run('ip', 'route')).output, /^default dev ppp0 .*\n(?!default)/)
    replacing.child.kill('SIGTERM')
    await replacing.end()
    assert.match((await run('ip', 'route')).output, /^default via 192\.0\.2\.9/)
  })
}
