import { Brain } from 'lucide-react';
import type { ComponentType, SVGProps } from 'react';
import type { BackendInstance, BackendRole } from '../../shared/domain';
import { usePart } from '../stores/core-store';
import { BoltIcon, CloudIcon, StackIcon, TandemIcon } from './icons';

/** How a backend looks: its icon, and the classes of its text, its badge and its share of a bar. */
export interface Look {
  Icon: ComponentType<SVGProps<SVGSVGElement>>;
  text: string;
  badge: string;
  bar: string;
}

const LOOKS: Readonly<Record<BackendRole, Look>> = {
  light: { Icon: BoltIcon, text: 'text-bolt', badge: 'bg-bolt-bg text-bolt', bar: 'bg-bolt' },
  heavy: { Icon: StackIcon, text: 'text-stack', badge: 'bg-stack-bg text-stack', bar: 'bg-stack' },
  cloud: { Icon: CloudIcon, text: 'text-cloud', badge: 'bg-cloud-bg text-cloud', bar: 'bg-cloud' },
};
const PLAIN = { text: 'text-ink-2', badge: 'bg-fill text-ink-2', bar: 'bg-ink-3' };

const NONE: readonly BackendInstance[] = [];

/** All backends of this run, in the order of preference; none until the first snapshot. */
export function useInstances(): readonly BackendInstance[] {
  return usePart('instances') ?? NONE;
}

/** The first backend with a role. */
export function useFirstOf(role: BackendRole): BackendInstance | undefined {
  return useInstances().find((instance) => instance.role === role);
}

/** Looks of the sources of answers. */
export function useLooks(): (id: string) => Look {
  const instances = useInstances();
  return (id) => {
    const role = instances.find((instance) => instance.id === id)?.role;
    if (role) return LOOKS[role];
    return { ...PLAIN, Icon: id === 'cache' ? Brain : TandemIcon };
  };
}
