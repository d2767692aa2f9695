import { Fragment, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** Facts in one line; where it is too long, it breaks between two of them, after the separator. */
export function FactLine({ facts }: { facts: readonly ReactNode[] }) {
  const { t } = useTranslation();
  const separator = t('common.separator').trimEnd();
  return facts.map((fact, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: facts have no identity but their place
    <Fragment key={index}>
      {index > 0 && ' '}
      <span className="inline-block max-w-full">
        {fact}
        {index < facts.length - 1 && separator}
      </span>
    </Fragment>
  ));
}
