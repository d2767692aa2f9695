import { TandemError } from '../../../shared/errors';

export function mlxDown(): TandemError {
  return new TandemError('mlx_down', 'MLX is not running; it restarts by itself, or press Restart MLX.');
}

export function unknownModel(name: string): TandemError {
  return new TandemError('model_not_found', `model '${name}' not found`, { details: { model: name } });
}
