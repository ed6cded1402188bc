import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { Api } from './context.ts'

const description = `Everything that the program does goes through this API. Lists answer \`{ items, next }\`; errors are
RFC 9457 problems with a stable \`code\`, what to do as \`hint\`, and the request's id. Authenticate with
\`Authorization: Bearer KEY\`.`

const zodToJsonConfig = {
  override({ jsonSchema }: { readonly jsonSchema: { readOnly?: boolean; minimum?: number; maximum?: number } }): void {
    // Arrays are readonly in our types, and integers are safe ones: neither says anything about the API.
    delete jsonSchema.readOnly
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  },
}

/** OpenAPI 3.1 from the schemas that also validate, and an explorer that needs nothing from the network. */
export async function openapi(app: Api, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Catchment', description, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      tags: [
        { name: 'catalog', description: 'Entities, and why they are there or not.' },
        { name: 'sync', description: 'Sources, scans, and what is held.' },
        { name: 'plans', description: 'Changed mappings: what they would do, and doing it.' },
        { name: 'evidence', description: 'What the catalog is made of.' },
        { name: 'webhooks', description: 'Where sources tell what changed.' },
        { name: 'probes', description: 'For the machine that runs it.' },
      ],
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'The admin key.' } } },
      security: [{ key: [] }],
    },
    transform: createJsonSchemaTransform({ zodToJsonConfig }),
    transformObject: (document) => pruned(createJsonSchemaTransformObject({ zodToJsonConfig })(document)),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // Over plain HTTP on localhost there is nothing to upgrade to.
    transformStaticCSP: (header) => header.replace(/upgrade-insecure-requests;?/, '').replaceAll(' https:', ''),
    uiConfig: { layout: 'BaseLayout', deepLinking: true, docExpansion: 'list', validatorUrl: null },
  })
  app.get('/openapi.json', { config: { access: 'local' }, schema: { hide: true } }, async () => app.swagger())
}

/** Each schema is given once as it is read and once as it is sent; the ones nothing refers to only clutter the explorer. */
function pruned(document: ReturnType<SwaggerTransformObject>): ReturnType<SwaggerTransformObject> {
  if (!('components' in document) || document.components?.schemas === undefined) return document
  const { schemas } = document.components
  for (let before = Number.POSITIVE_INFINITY; Object.keys(schemas).length < before; ) {
    before = Object.keys(schemas).length
    const text = JSON.stringify(document)
    for (const name of Object.keys(schemas)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
    }
  }
  return document
}
