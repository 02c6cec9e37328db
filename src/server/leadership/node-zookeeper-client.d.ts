/**
 * As much of the package `node-zookeeper-client`, which brings no types, as an election uses. Callers:
 * `zookeeper-session.ts`. Runs on: no thread; types only.
 */
declare module 'node-zookeeper-client' {
  interface ZooKeeperError extends Error {
    getCode(): number;
  }
  type Failure = ZooKeeperError | Error | null;

  interface Client {
    connect(): void;
    close(): void;
    getSessionTimeout(): number;
    on(event: 'connected' | 'disconnected' | 'expired', listener: () => void): void;
    mkdirp(path: string, done: (failure: Failure) => void): void;
    create(
      path: string,
      data: Buffer,
      mode: number,
      done: (failure: Failure, path: string) => void,
    ): void;
    getChildren(
      path: string,
      onChange: () => void,
      done: (failure: Failure, names: readonly string[]) => void,
    ): void;
    getData(
      path: string,
      done: (failure: Failure, data: Buffer | undefined, stat: { version: number }) => void,
    ): void;
    setData(path: string, data: Buffer, version: number, done: (failure: Failure) => void): void;
  }

  const zookeeper: {
    createClient(
      hosts: string,
      options: { readonly sessionTimeout: number; readonly spinDelay: number },
    ): Client;
    readonly CreateMode: { readonly EPHEMERAL_SEQUENTIAL: number };
    readonly Exception: { readonly BAD_VERSION: number; readonly NO_NODE: number };
  };
  export default zookeeper;
  export type { Client, Failure };
}
