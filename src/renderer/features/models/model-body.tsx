import { useState } from 'react';
import type { ModelView } from '../../../shared/models';
import { DeletePanel } from './delete-panel';
import { ModelActions } from './model-actions';
import { ModelContext } from './model-context';
import { ModelDetails } from './model-details';

/** An opened model: what is known of it and what can be done; while it asks about deleting, only the question. */
export function ModelBody({ model }: { model: ModelView }) {
  const [deleting, setDeleting] = useState(false);
  if (deleting) return <DeletePanel model={model} onEnd={() => setDeleting(false)} />;
  return (
    <>
      <ModelDetails model={model} />
      {model.broken === null && !model.remote && <ModelContext model={model} />}
      <ModelActions model={model} onDelete={() => setDeleting(true)} />
    </>
  );
}
