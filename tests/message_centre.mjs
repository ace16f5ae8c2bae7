// A message centre on loopback, by an SMPP implementation that shares no code with ours.
//
// Says what happens to it as lines of JSON; takes orders as lines of JSON:
//   {"receipt": ID, "stat": "DELIVRD", "form": "text" | "parameters"}  report what became of a message
//   {"answer": STATUS, "times": N}   answer the next N messages so (a name of smpp's errors)
//   {"mute": N}                      do not answer the next N messages
//   {"hang_up": true}                drop every session
import { createInterface } from "node:readline";
import smpp from "smpp";

const password = process.argv[2];
const sessions = new Set();
const answers = [];
let mute = 0;
let count = 0;

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const server = smpp.createServer((session) => {
  session.on("error", () => {});
  session.on("close", () => sessions.delete(session));
  session.on("bind_transceiver", (pdu) => {
    const isRight = pdu.password === password;
    if (isRight) sessions.add(session);
    say({ bind: pdu.system_id, ok: isRight });
    session.send(pdu.response(isRight ? {} : { command_status: smpp.errors.ESME_RINVPASWD }));
  });
  session.on("unbind", (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("submit_sm", (pdu) => {
    const status = answers.shift() ?? "ESME_ROK";
    const id = status === "ESME_ROK" ? `centre-${++count}` : "";
    const message = pdu.message_payload ?? pdu.short_message;
    say({
      submit: id,
      status,
      to: pdu.destination_addr,
      to_ton: pdu.dest_addr_ton,
      from: pdu.source_addr,
      text: message.message ?? message,
      data_coding: pdu.data_coding,
      payload: pdu.message_payload !== undefined,
      registered: pdu.registered_delivery,
    });
    if (mute > 0) {
      mute -= 1;
      return;
    }
    session.send(pdu.response({ command_status: smpp.errors[status], message_id: id }));
  });
  session.on("deliver_sm_resp", (pdu) => say({ receipt_answered: pdu.command_status }));
  session.on("generic_nack", (pdu) => say({ nack: pdu.command_status }));
});

const STATES = { DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };

function report(order) {
  const session = [...sessions].at(-1);
  const isText = order.form !== "parameters";
  const text =
    order.text ??
    `id:${order.receipt} sub:001 dlvrd:001 submit date:2605010930 done date:2605010931` +
      ` stat:${order.stat} err:000 text:`;
  session.deliver_sm({
    esm_class: 4,
    short_message: isText ? text : "receipt",
    ...(isText ? {} : { receipted_message_id: order.receipt, message_state: STATES[order.stat] }),
  });
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    if (order.receipt !== undefined) report(order);
    if (order.answer !== undefined) answers.push(...Array(order.times ?? 1).fill(order.answer));
    if (order.mute !== undefined) mute = order.mute;
    if (order.hang_up) for (const session of sessions) session.destroy();
    say({ done: line });
  })
  .on("close", () => process.exit(0));

server.listen(0, "127.0.0.1");
server.on("listening", () => say({ port: server.address().port }));
