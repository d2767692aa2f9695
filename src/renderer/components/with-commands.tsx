import { Fragment } from 'react';

const CODE = 'select-text rounded-[4px] bg-card px-1 font-mono text-mini [overflow-wrap:anywhere]';

/** A sentence with its commands as code: text between backticks is a command. */
export function WithCommands({ text }: { text: string }) {
  return text.split('`').map((part, index) => {
    const isCommand = index % 2 === 1;
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of a fixed text
    return <Fragment key={index}>{isCommand ? <code className={CODE}>{part}</code> : part}</Fragment>;
  });
}
