interface Snippet {
  /** Key of its title. */
  id: 'chat' | 'coding' | 'models';
  /** The command for a terminal; `url` is one of our addresses. */
  command: (url: string) => string;
}

const chat = (url: string, model: string, content: string) =>
  `curl ${url}/api/chat -d '{\n  "model": "${model}",\n  "messages": [{"role": "user", "content": "${content}"}]\n}'`;

/** What a program that speaks Ollama's dialect can do with either address. */
export const SNIPPETS: readonly Snippet[] = [
  { id: 'chat', command: (url) => chat(url, 'auto', 'hello') },
  { id: 'coding', command: (url) => chat(url, 'auto:coding', 'merge two sorted lists in Python') },
  { id: 'models', command: (url) => `curl ${url}/api/tags` },
];
