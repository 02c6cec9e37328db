/**
 * Sends small packets over UDP. Callers: the reporters of StatsD, Graphite and Ganglia. Runs on: their thread.
 * Invariant: its socket keeps no process alive.
 */
import { createSocket, type Socket } from 'node:dgram';

/** What fits into a packet on an ordinary network. */
const PACKET_BYTES_MAX = 1432;

/** A target of packets. */
export class Datagrams {
  readonly #host: string;
  readonly #port: number;
  readonly #ttl: number | null;
  #socket: Socket | null = null;

  /** `ttl` is how many networks a packet to many may cross; null for packets to one. */
  constructor(host: string, port: number, ttl: number | null = null) {
    this.#host = host;
    this.#port = port;
    this.#ttl = ttl;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = createSocket(this.#host.includes(':') ? 'udp6' : 'udp4');
      this.#socket = socket;
      socket.once('error', reject);
      socket.connect(this.#port, this.#host, () => {
        if (this.#ttl !== null) socket.setMulticastTTL(this.#ttl);
        socket.unref();
        socket.off('error', reject);
        // That nobody listens is told by the next packet.
        socket.on('error', () => {});
        resolve();
      });
    });
  }

  /** Sends lines, as many in a packet as fit. */
  async sendLines(lines: readonly string[]): Promise<void> {
    let packet = '';
    for (const line of lines) {
      const longer = packet === '' ? line : `${packet}\n${line}`;
      if (packet !== '' && Buffer.byteLength(longer) > PACKET_BYTES_MAX) {
        await this.send(packet);
        packet = line;
      } else packet = longer;
    }
    if (packet !== '') await this.send(packet);
  }

  send(packet: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket === null) return reject(new Error('it is not open'));
      this.#socket.send(packet, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }
}
