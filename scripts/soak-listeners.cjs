// How many listen to something in this process: the functions in all live Sets, as `src/base/listeners.ts` keeps them, and what
// listens to the process. Counted from outside, so that the product needs no door for tests; only Sets filled after this was loaded.

const known = new WeakSet()
let live = []

const add = Set.prototype.add
Set.prototype.add = function (value) {
  if (typeof value === 'function' && !known.has(this)) {
    known.add(this)
    live.push(new WeakRef(this))
  }
  return add.call(this, value)
}

/** Right after a garbage collection: what nobody reaches any more is counted until then. */
exports.countListeners = () => {
  live = live.filter((each) => each.deref() !== undefined)
  const inSets = live.flatMap((each) => [...(each.deref() ?? [])]).filter((each) => typeof each === 'function').length
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), inSets)
}
