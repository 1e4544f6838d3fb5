/** The version in package.json, for `--version` and Manager1. */

import manifest from '../../package.json' with { type: 'json' }

export const VERSION: string = manifest.version
