/** `mmctl bug-report`: everything that a maintainer needs in one text file, without secrets and personal numbers. */

import type { Command } from 'commander'
import type { CommandTools } from '../command.ts'
import { CliError } from '../errors.ts'
import type { ExitCode } from '../exit-codes.ts'
import { wrap } from '../output/text.ts'
import type { Session } from '../session.ts'

export function addBugReport(program: Command, { command, run }: CommandTools): void {
  command(
    program,
    'bug-report [file]',
    'everything a maintainer needs, without secrets, in a file (- for standard output)',
    'sudo mmctl bug-report modemd.txt',
  )
    .option('--root <dir>', 'look below it, as modemd does that was started with --root')
    .action((file: string | undefined, { root }: { root?: string }) =>
      run((session) => writeReport(session, file, root)),
    )
}

async function writeReport(session: Session, wanted: string | undefined, root: string | undefined) {
  const { output, clock } = session
  const file = wanted ?? `modemd-report-${timeName(Number(clock.wallUs() / 1000n))}.txt`
  // Loaded here: other commands start without them.
  const [{ gather }, { reportText }] = await Promise.all([import('../report/gather.ts'), import('../report/report.ts')])
  const sources = await gather(session, root)
  const text = reportText(sources)
  const { leftOut } = sources
  if (file !== '-') await writeNew(file, text)
  if (output.json) output.document({ ...(file === '-' ? { report: text } : { file }), leftOut })
  else if (file === '-') output.raw(text)
  else
    output.print(
      ...wrap(`The report is in ${file}: look through it before you send it.`, output.width),
      'Left out:',
      ...leftOut.flatMap((each) =>
        wrap(each, output.width - 4).map((line, index) => (index === 0 ? '  ' : '    ') + line),
      ),
    )
  return undefined satisfies ExitCode | undefined
}

/** `20261122-181503` */
function timeName(atMs: number): string {
  const [day = '', time = ''] = new Date(atMs).toISOString().split(/[T.]/)
  return `${day.replaceAll('-', '')}-${time.replaceAll(':', '')}`
}

/** Only for its owner's eyes, and never over a file or through a link that is there. */
async function writeNew(file: string, text: string): Promise<void> {
  const { writeFile } = await import('node:fs/promises')
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw CliError.usage(`${file} is there already: name another file`)
    throw new CliError(
      'org.modemd.Error.Internal',
      `${file} cannot be written (${code ?? message}): name another place`,
    )
  }
}
