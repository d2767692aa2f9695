import type { ReactNode } from 'react';
import type { SettingKey, Settings } from '../../../shared/settings';
import { Select } from '../../components/select';
import { Switch } from '../../components/switch';
import { NumberField } from './number-field';
import { SettingRow } from './setting-row';
import { useSetting } from './use-setting';

/** Rows of the usual kinds of settings. The control's label is the title of its row. */
interface RowProps<K extends SettingKey> {
  of: K;
  title: string;
  hint?: string;
  /** See `SettingRow`. */
  blocked?: string | null;
  children?: ReactNode;
}

type KeysOf<V> = { [K in SettingKey]: Settings[K] extends V ? K : never }[SettingKey];

/** @param empty shown while the setting has no value; absent = it always has one */
export function NumberRow({
  of,
  min,
  max,
  unit,
  empty,
  ...row
}: RowProps<KeysOf<number | null>> & { min: number; max: number; unit?: string; empty?: string }) {
  return (
    <SettingRow
      setting={useSetting(of)}
      {...row}
      control={({ setting: { value, set, tell }, ...rest }) => (
        <NumberField
          {...{ value, min, max, unit, empty, label: row.title, ...rest }}
          onChange={set}
          onProblem={tell}
          onEmpty={empty === undefined ? undefined : () => set(null)}
        />
      )}
    />
  );
}

export function ChoiceRow<K extends KeysOf<string>>({
  of,
  options,
  nameOf,
  ...row
}: RowProps<K> & { options: readonly Settings[K][]; nameOf: (value: Settings[K]) => string }) {
  return (
    <SettingRow
      setting={useSetting(of)}
      {...row}
      control={({ setting: { value, set }, ...rest }) => (
        <Select
          value={value}
          label={row.title}
          options={options.map((option) => ({ value: option, label: nameOf(option) }))}
          onChange={(next) => set(options.find((option) => option === next) ?? value)}
          {...rest}
        />
      )}
    />
  );
}

export function SwitchRow({ of, testId, ...row }: RowProps<KeysOf<boolean>> & { testId?: string }) {
  return (
    <SettingRow
      setting={useSetting(of)}
      {...row}
      control={({ setting: { value, set }, ...rest }) => (
        <Switch checked={value} onChange={set} label={row.title} testId={testId} {...rest} />
      )}
    />
  );
}
