import { z } from 'zod';
import { BACKEND_ROLES, type BackendInstance } from './domain';

/** A backend's id: a part of model names, of reasons and of field names. */
export const backendId = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/);

export const backendInstanceSchema = z.object({
  id: backendId,
  kind: z.string().max(40),
  role: z.enum(BACKEND_ROLES),
  title: z.string().min(1).max(60),
}) satisfies z.ZodType<BackendInstance>;
