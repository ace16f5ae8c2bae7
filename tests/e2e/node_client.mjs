// A client of the contract that shares no line of code with the service: another language, another
// gRPC, another protobuf. Asks for one contact and prints the answer as JSON.
import { readFileSync } from "node:fs";

import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const [address, keys, name, personalId] = process.argv.slice(2);

const definition = loader.loadSync("subid/v1/contact_service.proto", {
  includeDirs: ["protos", "protos/third_party"],
  enums: String,
});
const { ContactService } = grpc.loadPackageDefinition(definition).subid.v1;
const credentials = grpc.credentials.createSsl(
  readFileSync(`${keys}/ca.crt.pem`),
  readFileSync(`${keys}/${name}.key.pem`),
  readFileSync(`${keys}/${name}.crt.pem`),
);
const client = new ContactService(address, credentials);
const request = {
  personalId,
  grounds: {
    purpose: "PURPOSE_SERVICE_DELIVERY",
    legalBasis: "Law 26/2023/QH15, art. 10",
  },
};
client.GetContact(request, { deadline: Date.now() + 30_000 }, (error, response) => {
  const answer = error ? { code: error.code, details: error.details } : response.contact;
  process.stdout.write(JSON.stringify(answer));
  client.close();
});
