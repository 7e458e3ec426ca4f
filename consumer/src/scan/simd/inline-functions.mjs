/**
 * For asc: functions that are compiled into those that call them, as the decorator `@inline` has it, which is
 * no TypeScript that a linter would read. They are called for each string and each word.
 */
import { Node, NodeKind } from 'assemblyscript';
import { Transform } from 'assemblyscript/transform';

const NAMES = new Set(['stringEnd', 'idOf']);

export default class InlineFunctions extends Transform {
  afterParse({ sources }) {
    const missing = new Set(NAMES);
    for (const statement of sources.flatMap(({ statements }) => statements)) {
      if (statement.kind !== NodeKind.FunctionDeclaration) continue;
      const { name, range } = statement;
      if (!missing.delete(name.text)) continue;
      const decorator = Node.createIdentifierExpression('inline', range);
      statement.decorators = [Node.createDecorator(decorator, null, range)];
    }
    if (missing.size > 0) throw new Error(`no function ${[...missing].join(', ')}`);
  }
}
