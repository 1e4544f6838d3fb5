// The test machine: QEMU in software emulation (no KVM, no network device) with a real kernel PPP and real USB gadgets. It boots
// in about 9 s, runs one job (overlay/usr/local/sbin/vm-job) and turns itself off. Used by scripts/test-vm.mjs.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'

const MEMORY_MIB = 1024
const CONSOLE_LINES = 40
const KERNEL_ARGUMENTS =
  'console=ttyS0 quiet mitigations=off nokaslr audit=0 selinux=0 apparmor=0 tsc=reliable no_timer_check random.trust_cpu=on net.ifnames=0'

/**
 * Runs `job`, a shell script, in the guest, and again after each reboot that it asks for (the file `reboot`): `project` is /project there (read-only), `share` is /run/host (read and write). Its
 * output goes to `onOutput`. Answers its exit status; rejects where the machine did not come up, or not end within `limitMs`.
 */
export async function runInMachine({ image, project, share, job, limitMs, onOutput }) {
  writeFileSync(`${share}/job.sh`, job)
  // setpriv: however this process ends, no machine outlives it.
  const machine = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArguments(image, project, share)],
    {
      // A closed standard input would be an unplugged port to the guest.
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  let complaints = ''
  machine.stdout.on('data', onOutput)
  machine.stderr.on('data', (bytes) => {
    complaints += bytes
  })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    machine.kill('SIGKILL')
  }, limitMs)
  await once(machine, 'close')
  clearTimeout(timer)
  if (isLate) throw new Error(`the machine did not end within ${limitMs / 1000} s:\n${consoleEnd(share)}`)
  try {
    return Number(readFileSync(`${share}/status`, 'utf8'))
  } catch {
    throw new Error(`the machine did not come up: ${complaints}\n${consoleEnd(share)}`)
  }
}

function qemuArguments(image, project, share) {
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none'],
    ...[
      '-M',
      'q35',
      '-accel',
      'tcg,thread=multi,tb-size=256',
      '-cpu',
      'max,la57=off',
      '-smp',
      '2',
      '-m',
      `${MEMORY_MIB}`,
    ],
    ...['-kernel', `${image}/vmlinux`, '-initrd', `${image}/initrd.img`, '-append', KERNEL_ARGUMENTS],
    // The image stays as it is: what the guest writes goes to a temporary file, which outlasts a reboot of the guest.
    ...['-drive', `file=${image}/root.ext4,format=raw,if=none,id=root,snapshot=on`],
    ...['-device', 'virtio-blk-pci,drive=root', '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci'],
    ...['-chardev', 'stdio,id=output,signal=off', '-device', 'virtserialport,chardev=output,name=output'],
    ...['-fsdev', `local,id=host,path=${share},security_model=none`],
    ...['-device', 'virtio-9p-pci,fsdev=host,mount_tag=host'],
    ...['-fsdev', `local,id=project,path=${project},security_model=none,readonly=on`],
    ...['-device', 'virtio-9p-pci,fsdev=project,mount_tag=project'],
    ...['-serial', `file:${share}/console.log`],
  ]
}

function consoleEnd(share) {
  try {
    return readFileSync(`${share}/console.log`, 'utf8').split('\n').slice(-CONSOLE_LINES).join('\n')
  } catch {
    return '(nothing on its console)'
  }
}
