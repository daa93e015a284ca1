import { defineConfig } from 'vitepress'

const packages = ['core', 'backends', 'proxprop', 'advprop', 'diff-attention', 'rl-exploration', 'datasets']

export default defineConfig({
  title: 'tfgraft',
  description: 'Graft research methods onto TensorFlow.js models.',
  cleanUrls: true,
  // Links to the repository's own files and folders are checked by the repository, not by the site.
  ignoreDeadLinks: 'localhostLinks',
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/guide/getting-started' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: [
      {
        text: 'Guide',
        items: [
          { text: 'Getting started', link: '/guide/getting-started' },
          { text: 'Write a method', link: '/guide/write-a-method' },
        ],
      },
      { text: 'Packages', items: packages.map((name) => ({ text: name, link: `/packages/${name}` })) },
    ],
  },
})
