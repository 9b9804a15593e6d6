import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import ts from 'typescript';

/**
 * Where the declarations reached from a file, as far as they lie in a folder, let `any` into what others see: as
 * `file:line: text`. What a name stands for counts, not how it is written. Private members are nobody's to see.
 */
export function listAnyTypes(entry: string, folder: string): readonly string[] {
  const options = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
  const program = ts.createProgram([entry], { ...options, strict: true, lib: ['lib.es2023.d.ts'], types: ['node'] });
  const checker = program.getTypeChecker();
  const root = realpathSync(folder) + sep;
  const found: string[] = [];

  const visit = (node: ts.Node, file: ts.SourceFile): void => {
    if (ts.canHaveModifiers(node) && node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)) return;
    if (ts.isPropertyDeclaration(node) && ts.isPrivateIdentifier(node.name)) return;
    if (isAny(node, checker)) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      found.push(`${file.fileName.slice(root.length)}:${line + 1}: ${node.getText(file)}`);
    }
    ts.forEachChild(node, (child) => visit(child, file));
  };
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(root));
  if (files.length === 0) throw new Error(`${entry} reaches no declarations in ${folder}`);
  for (const file of files) visit(file, file);
  return found;
}

function isAny(node: ts.Node, checker: ts.TypeChecker): boolean {
  const untyped =
    (ts.isParameter(node) || ts.isPropertySignature(node) || ts.isPropertyDeclaration(node)) && node.type === undefined;
  if (!untyped && !ts.isTypeNode(node)) return false;
  const type = ts.isTypeNode(node) ? checker.getTypeFromTypeNode(node) : checker.getTypeAtLocation(node);
  return (type.flags & ts.TypeFlags.Any) !== 0;
}
