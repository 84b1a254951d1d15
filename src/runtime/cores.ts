import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/**
 * Cores that this process may use: the machine's, the affinity mask's, or the container's CPU quota,
 * whichever is least.
 */
export function usableCores(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(cpuQuota())))
}

/** CPUs granted by the control group (version 2 or 1); Infinity where there is no limit. */
function cpuQuota(): number {
  const read = (path: string): string[] | undefined => {
    try {
      return readFileSync(path, 'utf8').trim().split(/\s+/)
    } catch {
      return undefined
    }
  }
  const [quota, period] = read('/sys/fs/cgroup/cpu.max') ?? [
    read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us')?.[0],
    read('/sys/fs/cgroup/cpu/cpu.cfs_period_us')?.[0],
  ]
  const cpus = Number(quota) / Number(period)
  return cpus > 0 ? cpus : Number.POSITIVE_INFINITY
}
