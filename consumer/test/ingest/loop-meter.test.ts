import { expect } from 'chai';
import { LoopMeter } from '#consumer/ingest/loop-meter.js';

/** An event loop that is busy or idle as a test says, and a clock that moves with it. */
class Loop {
  active = 0;
  idle = 0;
  readonly meter = new LoopMeter(
    () => ({ active: this.active, idle: this.idle, utilization: 0 }),
    () => this.active + this.idle,
  );

  run(activeSeconds: number, idleSeconds: number): void {
    this.active += activeSeconds * 1000;
    this.idle += idleSeconds * 1000;
  }
}

describe('LoopMeter', () => {
  it('tells what was since the start at first, 0 before anything was', () => {
    const loop = new Loop();
    expect(loop.meter.utilization()).to.equal(0);
    loop.run(1, 3);
    expect(loop.meter.utilization()).to.equal(0.25);
  });

  it('tells a reader what was since it last read', () => {
    const loop = new Loop();
    loop.run(15, 0);
    expect(loop.meter.utilization()).to.equal(1);
    loop.run(3, 12);
    expect(loop.meter.utilization()).to.equal(0.2);
    loop.run(0, 15);
    expect(loop.meter.utilization()).to.equal(0);
  });

  it('looks back 10 s at least, so that a second reader does not shorten it', () => {
    const loop = new Loop();
    loop.run(0, 15);
    loop.meter.utilization(); // one reader, every 15 s
    loop.run(10, 0);
    expect(loop.meter.utilization()).to.equal(1); // the other, 10 s later
    loop.run(0, 5);
    expect(loop.meter.utilization()).to.equal(10 / 15);
    loop.run(0, 10);
    expect(loop.meter.utilization()).to.equal(0);
  });

  it('has the same span however often it is read', () => {
    const loop = new Loop();
    for (let i = 0; i < 1000; i++) {
      loop.run(0.05, 0.05);
      loop.meter.utilization();
    }
    loop.run(0, 4);
    expect(loop.meter.utilization()).to.be.closeTo(3 / 10, 0.1);
  });
});
