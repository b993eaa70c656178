// Draws the API's reference from its description; no page of ours holds a script.
(() => {
  "use strict";
  const place = document.getElementById("api-docs");
  window.SwaggerUIBundle({
    url: place.dataset.url,
    domNode: place,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "none",
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
  });
})();
