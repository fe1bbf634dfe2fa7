// Swagger UI 4 reads OpenAPI 3.0 and refuses 3.1 by its number alone; what our document uses reads alike in both.
fetch("openapi.json")
  .then((answer) => answer.json())
  .then((spec) =>
    SwaggerUIBundle({
      spec: { ...spec, openapi: "3.0.3" },
      dom_id: "#page",
      deepLinking: true,
      validatorUrl: null, // else it asks a server of its makers
    })
  );
